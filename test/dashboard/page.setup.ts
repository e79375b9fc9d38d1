import { buildPage } from '../../packages/dashboard/scripts/build-page.ts';

/** Tests run on the source; the page is the one thing that browsers need built. */
export async function setup(): Promise<void> {
  await buildPage({ always: false });
}
