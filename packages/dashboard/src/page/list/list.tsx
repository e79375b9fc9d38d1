import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { rate } from '../../incident/words.ts';
import { cursor, groups, query, route, shown, topRate } from '../state/store.ts';
import { Row } from './row.tsx';

const [short, overscan] = [38, 6];
/** Beside the details and on phones what comes next is a line of its own. */
const [tallWide, tallNarrow, narrow] = [60, 80, 860];

/** All rows that there is a place for: of ten thousand breakers only those in view are in the document. */
export function List() {
  const frame = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800, width: 1_200 });
  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight, width: element.clientWidth });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, []);

  const rows = shown.value;
  const tall = view.width > narrow ? tallWide : tallNarrow;
  // Trouble comes first, so two heights need no more than one number.
  const troubled = rows.findIndex(({ row }) => row.state === 'closed');
  const bend = troubled < 0 ? rows.length : troubled;
  const topOf = (i: number): number => (i <= bend ? i * tall : bend * tall + (i - bend) * short);
  const indexAt = (y: number): number =>
    y <= bend * tall ? Math.floor(y / tall) : bend + Math.floor((y - bend * tall) / short);
  const first = Math.max(0, indexAt(view.top) - overscan);
  const last = Math.min(rows.length, indexAt(view.top + view.height) + overscan);

  const at = rows.findIndex(({ id }) => id === cursor.value);
  const focusable = at < 0 ? first : at;
  useEffect(() => {
    const element = frame.current;
    if (element === null || at < 0) return;
    const [top, bottom] = [topOf(at), topOf(at + 1)];
    if (top < element.scrollTop) element.scrollTop = top;
    else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight;
  }, [cursor.value]);
  useEffect(() => {
    if (at < 0) return;
    const link = frame.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(cursor.value ?? '')}"]`);
    if (
      link &&
      document.activeElement !== link &&
      !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? '')
    ) {
      link.focus({ preventScroll: true });
    }
  }, [cursor.value, first, last]);

  return (
    <section class="list" aria-label="Circuit breakers">
      <div class="columns" aria-hidden="true">
        <span>state</span>
        <span>breaker</span>
        <span>{topRate.value > 0 ? `minute, to ${rate(topRate.value)}/s` : 'last minute'}</span>
        <span class="figure">calls</span>
        <span class="figure">failing</span>
        <span class="figure">p95</span>
        <span class="figure">refused</span>
        <span>to threshold, or next</span>
      </div>
      <div class="rows" ref={frame}>
        {rows.length === 0 ? (
          <Nothing />
        ) : (
          <ol style={{ height: `${topOf(rows.length)}px` }}>
            {rows.slice(first, last).map((group, i) => (
              <Row
                key={group.id}
                group={group}
                top={topOf(first + i)}
                height={first + i < bend ? tall : short}
                position={first + i + 1}
                size={rows.length}
                current={group.id === route.value.id}
                focused={first + i === focusable}
              />
            ))}
          </ol>
        )}
      </div>
    </section>
  );
}

const Nothing = () => (
  <p class="nothing">
    {groups.value.length === 0
      ? 'No breakers yet. They appear here as soon as the process makes one.'
      : `No breaker matches${query.value ? ` “${query.value}”` : ' these states'}.`}
  </p>
);
