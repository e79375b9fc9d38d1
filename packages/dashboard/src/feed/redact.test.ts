import { expect, test } from 'vitest';
import { redact } from './redact.ts';

test.each([
  ['connect ECONNREFUSED 10.0.0.7:5432', 'connect ECONNREFUSED 10.0.0.7:5432'],
  [
    'HTTP 503 from https://ana:s3cret@pay.example.com/v1/charge?card=4111',
    'HTTP 503 from https://…@pay.example.com/v1/charge?…',
  ],
  ['401: bad token Bearer eyJhbGciOi.eyJzdWIi.sIgNa', '401: bad token …'],
  ['401 for Authorization: Bearer s3cr3t-abc at once', '401 for Authorization: … at once'],
  ['sent Authorization: Basic dXNlcjpwYXNz', 'sent Authorization: …'],
  ['Authorization: Digest username="ana", realm="x y", response="6629" refused', 'Authorization: … refused'],
  ['body {"password":"hunter2","access_token":"abc123"}', 'body {"password":…,"access_token":…}'],
  ['body {\\"password\\":\\"my pass\\"} sent', 'body {\\"password\\":…} sent'],
  ['{"authorization":"Bearer abc"}', '{"authorization":…}'],
  ['client_secret=xyz123 refused', 'client_secret=… refused'],
  ['AWS_SECRET_ACCESS_KEY=ab/c is wrong', 'AWS_SECRET_ACCESS_KEY=… is wrong'],
  ["password='my pass word' is wrong", 'password=… is wrong'],
  ['password="cut off within', 'password=…'],
  ['x-api-key: k1', 'x-api-key: …'],
  ['Cookie: sid=abc123; other=def was refused', 'Cookie: … was refused'],
  ['redis://:p/w@h:6379', 'redis://…@h:6379'],
  ['postgres://u:p@ss/w@h/db', 'postgres://…@h/db'],
  ['http://localhost:8080/@scope/name', 'http://localhost:8080/@scope/name'],
  ['login failed: password=hunter2 for x', 'login failed: password=… for x'],
  ['no user ana.b+c@example.co.uk', 'no user …@…'],
  ['key 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 unknown', 'key … unknown'],
])('%s', (message, shown) => {
  expect(redact(message)).toBe(shown);
});

test('no message is long, and none takes long', () => {
  const started = performance.now();
  for (const text of [
    'a@',
    'https://',
    'token ',
    'a.a.',
    '=',
    '9a',
    'a:',
    '"',
    '\\',
    'x://a:',
    'password="',
    'cookie: a=b; ',
  ].map((part) => part.repeat(200_000))) {
    expect(redact(text).length).toBeLessThanOrEqual(300);
  }
  expect(performance.now() - started).toBeLessThan(500);
});
