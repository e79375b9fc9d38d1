import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashOf, routeOf } from './route.ts';

test('an address leads back to where it was made', () => {
  const id = fc.string({ minLength: 1, unit: 'grapheme' });
  const at = fc.option(fc.integer({ min: 1, max: 8e15 }), { nil: undefined });
  fc.assert(
    fc.property(id, fc.option(id, { nil: undefined }), at, (id, instance, at) => {
      expect(routeOf(hashOf({ id, instance, at }))).toEqual({ id, instance, at });
    }),
  );
});

test('whatever else stands there leads to the list', () => {
  const nowhere = { id: undefined, instance: undefined, at: undefined };
  for (const hash of ['', '#', '#/', '#/b/', '#/b/%', '#/x/y', hashOf({})]) expect(routeOf(hash)).toEqual(nowhere);
  expect(routeOf('#/b/a?t=soon')).toEqual({ ...nowhere, id: 'a' });
});
