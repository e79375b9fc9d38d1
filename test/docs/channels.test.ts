import { readFileSync } from 'node:fs';
import { channelNames } from 'recloser/telemetry';
import { expect, test } from 'vitest';

test('the table of channels holds every channel, each once, and no other', () => {
  const page = readFileSync(new URL('../../docs/telemetry/README.md', import.meta.url), 'utf8');
  const listed = [...page.matchAll(/^\| `(recloser:[\w-]+:[\w-]+)` \|/gm)].map(([, name]) => name);
  expect(listed.toSorted()).toEqual([...channelNames].toSorted());
});
