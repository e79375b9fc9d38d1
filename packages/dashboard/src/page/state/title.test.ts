import { expect, test } from 'vitest';
import { titleOf } from './title.ts';

test('a tab in the background says what is open, and when it knows nothing any more', () => {
  expect(titleOf('prod-api', false, 0)).toBe('prod-api');
  expect(titleOf('prod-api', false, 2)).toBe('■ 2 open – prod-api');
  expect(titleOf('prod-api', true, 2)).toBe('not live – prod-api');
});
