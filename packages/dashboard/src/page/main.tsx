import { render } from 'preact';
import './styles/page.css';
import { DetailPane } from './detail/detail.tsx';
import { ActionDialog } from './dialogs/action-dialog.tsx';
import { HelpDialog } from './dialogs/help-dialog.tsx';
import { Header } from './list/header.tsx';
import { List } from './list/list.tsx';
import { connect, restWhileHidden } from './state/connect.ts';
import { listenToKeys } from './state/keys.ts';
import { announcement, cursor, link, route } from './state/store.ts';
import { keepTitle } from './state/tab.ts';
import { applyTheme } from './state/theme.ts';

const Page = () => (
  <div
    class={`page${route.value.id === undefined ? '' : ' with-detail'}${link.value.state === 'lost' ? ' stale' : ''}`}
  >
    <Header />
    <main>
      <List />
      <DetailPane />
    </main>
    <div class="unseen" aria-live="polite">
      {announcement.value}
    </div>
    <HelpDialog />
    <ActionDialog />
  </div>
);

applyTheme();
cursor.value = route.value.id;
render(<Page />, document.getElementById('page') as HTMLElement);
keepTitle();
listenToKeys();
void connect();
restWhileHidden();
