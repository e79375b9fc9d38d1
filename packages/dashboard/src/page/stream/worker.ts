// One for all windows of a browser that show this page; its own address says below which prefix.
import { beatMs, follow } from './follow.ts';
import { Share } from './share.ts';

const share = new Share((tell) => follow('../api/stream', tell));
addEventListener('connect', (event) => share.enter((event as MessageEvent).ports[0] as MessagePort));
setInterval(() => share.beat(), beatMs);
