const sameDay = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const otherDay = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

/** A moment, in the reader's own time zone; the day only where it is another. */
export function clock(at: number): string {
  return (new Date(at).toDateString() === new Date().toDateString() ? sameDay : otherDay).format(at);
}
