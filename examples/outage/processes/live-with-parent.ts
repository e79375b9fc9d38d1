/** No orphans: a child process ends with its parent, however that ends. On Ctrl-C it waits for the parent's word. */
export function liveWithParent(): void {
  process.on('disconnect', () => process.exit(0));
  process.on('SIGINT', () => {});
}
