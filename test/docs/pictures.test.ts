import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { drawing, picture } from '../../scripts/draw-adaptive-concurrency.ts';

test('the picture of the adaptive limit is what today’s code draws (npx tsx scripts/draw-adaptive-concurrency.ts)', {
  timeout: 60_000,
}, async () => {
  expect(readFileSync(picture, 'utf8')).toBe(await drawing());
});
