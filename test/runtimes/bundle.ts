import { build } from 'esbuild';
import { inject } from 'vitest';

/** A script and the package in one file, as a worker or a page takes it. */
export async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: inject('app'),
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}
