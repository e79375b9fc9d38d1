import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Semaphore } from './semaphore.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('Semaphore', () => {
  test('counts what is left; the count can’t be set', () => {
    const semaphore = Semaphore(2);
    void semaphore.take();
    expect([semaphore.count, semaphore.test(), semaphore.count, semaphore.test()]).toEqual([1, true, 0, false]);
    semaphore.release();
    expect(semaphore.count).toBe(1);
    expect(() => {
      (semaphore as { count: number }).count = 4;
    }).toThrow(TypeError);
  });

  test('take waits in line, and answers with release', async () => {
    const semaphore = Semaphore(1);
    const release = await semaphore.take();
    const order: number[] = [];
    for (const i of [1, 2]) void semaphore.take().then(() => order.push(i));
    release();
    await null;
    expect([order, semaphore.count]).toEqual([[1], 0]);
    release();
    await null;
    expect([order, semaphore.count]).toEqual([[1, 2], 0]);
  });

  test('take with a timeout rejects with ETIMEDOUT', async () => {
    const semaphore = Semaphore(0);
    const taken = semaphore.take(100).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(100);
    expect(await taken).toMatchObject({ code: 'ETIMEDOUT', message: 'Timed out after 100ms' });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('opossum 10: one that times out takes nobody else out of the line', async () => {
    const semaphore = Semaphore(1);
    const release = await semaphore.take();
    const first = vi.fn();
    void semaphore.take().then(first);
    void semaphore.take(100).catch(() => {});
    await vi.advanceTimersByTimeAsync(100);
    release();
    await vi.advanceTimersByTimeAsync(0);
    expect(first).toHaveBeenCalledOnce();
  });

  test('opossum 10: one that was admitted in time does not time out later', async () => {
    const semaphore = Semaphore(1);
    const release = await semaphore.take();
    void semaphore.take(100);
    release();
    const next = vi.fn();
    void semaphore.take().then(next);
    await vi.advanceTimersByTimeAsync(100);
    release();
    await vi.advanceTimersByTimeAsync(0);
    expect(next).toHaveBeenCalledOnce();
  });
});
