import { expect, test } from 'vitest';
import { redact } from './redact.ts';

test.each([
  ['connect ECONNREFUSED 10.0.0.7:5432', 'connect ECONNREFUSED 10.0.0.7:5432'],
  [
    'HTTP 503 from https://ana:s3cret@pay.example.com/v1/charge?card=4111',
    'HTTP 503 from https://…@pay.example.com/v1/charge?…',
  ],
  ['401: bad token Bearer eyJhbGciOi.eyJzdWIi.sIgNa', '401: bad token … …'],
  ['login failed: password=hunter2 for x', 'login failed: password=… for x'],
  ['no user ana.b+c@example.co.uk', 'no user …@…'],
  ['key 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 unknown', 'key … unknown'],
])('%s', (message, shown) => {
  expect(redact(message)).toBe(shown);
});

test('no message is long, and none takes long', () => {
  const started = performance.now();
  for (const text of ['a@', 'https://', 'token ', 'a.a.', '=', '9a'].map((part) => part.repeat(200_000))) {
    expect(redact(text).length).toBeLessThanOrEqual(300);
  }
  expect(performance.now() - started).toBeLessThan(500);
});
