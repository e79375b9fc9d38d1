/**
 * No orphans: a child process ends with its parent, however that ends. Ctrl-C, and what else ends a whole group of processes
 * (`timeout`, a terminal that closes), reaches it too: it waits for the parent's word, which wants its result.
 */
export function liveWithParent(): void {
  process.on('disconnect', () => process.exit(0));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
}
