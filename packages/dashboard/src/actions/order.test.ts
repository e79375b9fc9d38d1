import { expect, test } from 'vitest';
import { readOrder } from './order.ts';

const order = (fields: object): string =>
  JSON.stringify({ id: 'payments', action: 'force-open', reason: 'vendor down', ...fields });

test('a state that is set ends after 30 minutes unless said otherwise; what is no state has no end', () => {
  expect(readOrder(order({}))).toMatchObject({ deed: 'force-open', expiresInMs: 1_800_000, reason: 'vendor down' });
  expect(readOrder(order({ expiresInMs: 60_000 }))).toMatchObject({ expiresInMs: 60_000 });
  for (const action of ['release', 'reset', 'probe']) expect(readOrder(order({ action })).expiresInMs).toBeUndefined();
});

test.each([
  ['', 'JSON'],
  ['[1]', 'action must be'],
  ['null', 'action must be'],
  [order({ action: 'drop' }), 'action must be one of force-open'],
  [order({ action: '__proto__' }), 'action must be'],
  [order({ id: '' }), 'id must be'],
  [order({ id: 7 }), 'id must be'],
  [order({ reason: '  \u0007\n ' }), 'reason must say why'],
  [order({ reason: undefined }), 'reason must say why'],
  [order({ expiresInMs: 0 }), 'expiresInMs must be a whole number from 1000'],
  [order({ expiresInMs: 1e12 }), 'expiresInMs'],
  [order({ expiresInMs: '60000' }), 'expiresInMs'],
  [order({ instances: [] }), 'instances must be names'],
  [order({ instances: [1] }), 'instances must be names'],
  [order({ action: 'force-closed' }), 'confirm must be the name'],
  [order({ action: 'disable', confirm: 'Payments' }), 'confirm must be the name'],
])('%s is refused: %s', (body, why) => {
  expect(() => readOrder(body)).toThrow(why);
  expect(() => readOrder(body)).toThrow(expect.objectContaining({ status: 400 }));
});

test('what takes protection away goes on when the name is typed', () => {
  expect(readOrder(order({ action: 'disable', confirm: 'payments' })).deed).toBe('disable');
});

test('texts that end in logs are one line of printable characters', () => {
  const { reason, by } = readOrder(order({ reason: 'a\r\nINFO forged\u202e\u0000', by: `${'x'.repeat(99)}\n` }));
  expect(reason).toBe('a INFO forged');
  expect(by).toHaveLength(60);
});
