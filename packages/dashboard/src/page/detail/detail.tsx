import { useEffect, useRef } from 'preact/hooks';
import type { Detail } from '../../protocol/detail.ts';
import { StateMark } from '../list/state-mark.tsx';
import { detail } from '../state/detail.ts';
import { closeDetail } from '../state/keys.ts';
import { link, route } from '../state/store.ts';
import { Actions, Copies } from './buttons.tsx';
import { Charts } from './charts.tsx';
import { Configuration } from './configuration.tsx';
import { Errors } from './errors.tsx';
import { Facts, Verdict } from './facts.tsx';
import { Instances } from './instances.tsx';
import { Keys } from './keys.tsx';
import { Timeline } from './timeline.tsx';
import { Why } from './why.tsx';

export function DetailPane() {
  const { id } = route.value;
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (id !== undefined && matchMedia('(max-width: 900px)').matches) head.current?.focus();
  }, [id]);
  if (id === undefined) return null;
  const shown = detail.value;
  return (
    <article class="detail" aria-label={`Details of ${id}`}>
      <div class="head">
        <button type="button" class="quiet back" onClick={closeDetail} aria-label="Back to the list">
          ←
        </button>
        <h2 ref={head} tabIndex={-1}>
          {id}
        </h2>
        {typeof shown === 'object' && <StateMark state={shown.row.state} />}
        {typeof shown === 'object' && <Copies id={id} />}
      </div>
      {shown === 'loading' && <p class="nothing">Loading …</p>}
      {shown === 'missing' && (
        <p class="nothing">{link.value.state === 'live' ? 'No breaker has this name now.' : 'Not connected.'}</p>
      )}
      {typeof shown === 'object' && <Known shown={shown} />}
    </article>
  );
}

const Known = ({ shown }: { readonly shown: Detail }) => (
  <>
    <p class={`explain state-${shown.row.state}`} data-testid="explain">
      {shown.explain}
    </p>
    <Verdict detail={shown} />
    <Why detail={shown} />
    <Keys detail={shown} />
    <Facts detail={shown} />
    <Actions detail={shown} />
    <Charts detail={shown} />
    <Timeline detail={shown} />
    <Instances detail={shown} />
    <Errors detail={shown} />
    <Configuration detail={shown} />
  </>
);
