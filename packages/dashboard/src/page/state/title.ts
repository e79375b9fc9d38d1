/** What the tab says, for whoever has the page in the background. */
export function titleOf(title: string, lost: boolean, open: number): string {
  if (lost) return `not live – ${title}`;
  return open > 0 ? `■ ${open} open – ${title}` : title;
}
