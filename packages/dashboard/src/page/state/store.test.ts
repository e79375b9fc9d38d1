import { expect, test, vi } from 'vitest';
import type { Entry } from '../../protocol/entry.ts';
import type { Instance } from '../../protocol/messages.ts';
import type { Row } from '../../protocol/row.ts';

// The page's own globals, as far as it takes them.
vi.stubGlobal('location', { hash: '' });
vi.stubGlobal('requestAnimationFrame', (run: () => void) => run());
const { announcement, groups, instances, minuteOf, takeChange, takeSnapshot, takeInstance, topRate } = await import(
  './store.ts'
);

const row = (fields: Partial<Row> = {}): Row => ({
  ...{ id: 'payments', state: 'closed', ok: 5, failed: 0, refused: 0, inFlight: 0 },
  ...{ rule: 'failureRate', value: 0, threshold: 0.5, calls: 100 },
  ...fields,
});
const process = { loopDelayMs: 400, cpu: 1, gc: 0, heapMb: 50 };
const near: Instance = { name: 'a', live: true, rows: [row()], recent: {} };
const far: Instance = {
  ...{ name: 'b', live: true, process, rows: [row({ state: 'open', refused: 320 })] },
  recent: { payments: { ok: [0], failed: [0], refused: [320] } },
};
const snapshot = (...all: Instance[]) => {
  const about = { version: 1, title: 'prod', life: 'x', self: 'a', at: Date.now(), entries: [] } as const;
  takeSnapshot({ ...about, instances: all });
};
const seen = () => {
  const [group] = groups.value;
  const busy = [...instances.values()].filter((instance) => instance.process !== undefined).map(({ name }) => name);
  return { state: group?.row.state, of: group?.count, refused: group?.refused, busy, top: topRate.value };
};

test('the last figures of a peer that is not heard of any more are not taken for those of now', () => {
  snapshot(near, far);
  expect(seen()).toEqual({ state: 'open', of: 2, refused: 320, busy: ['b'], top: 320 });
  const gone = { ...far, live: false, trouble: 'the stream ended' };
  takeInstance(gone);
  const alone = { state: 'closed', of: 1, refused: 0, busy: [], top: 0 };
  expect(seen()).toEqual(alone);
  expect(minuteOf('payments')).toBeUndefined();
  expect(instances.get('b')).toMatchObject({ live: false, trouble: 'the stream ended' });
  // A window that opens now says the same.
  snapshot(near, gone);
  expect(seen()).toEqual(alone);
  takeInstance(far);
  expect(seen()).toMatchObject({ state: 'open', of: 2, refused: 320 });
});

test('a peer that has another name now is not one more', () => {
  const address = '10.0.0.12:8420';
  snapshot(near, { ...far, name: address, live: false, rows: [], recent: {} });
  takeInstance({ ...far, formerly: address });
  expect([...instances.keys()]).toEqual(['a', 'b']);
});

test('transitions and what people do are announced, changed options are not', () => {
  snapshot(near);
  const entry = { at: 1, id: 'payments', from: 'closed' } as const;
  const tell = (...entries: Entry[]) => takeChange({ instance: 'a', at: 1, entries });
  tell({ ...entry, to: 'open', kind: 'transition', why: 'ETIMEDOUT ×5' });
  expect(announcement.value).toBe('payments open: ETIMEDOUT ×5');
  tell({ ...entry, from: 'open', to: 'open', kind: 'update', changed: ['timeoutMs'] });
  expect(announcement.value).toBe('payments open: ETIMEDOUT ×5');
  tell({ ...entry, to: 'closed', kind: 'update' }, { ...entry, to: 'disabled', kind: 'action', reason: 'noise' });
  expect(announcement.value).toBe('payments disabled: noise');
});
