import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type Exchange, HttpError, type Reply } from './exchange.ts';

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
};

interface Asset {
  readonly type: string;
  readonly body: Uint8Array;
  readonly gzip: Uint8Array;
}

/** Beside the built module, and where the build puts it when the source runs. */
const places = ['page/', '../../dist/page/'];

/** The files of the page, read once: what is not among them can't be asked for. */
export class Assets {
  #files: Map<string, Asset> | undefined;

  /** @throws HttpError */
  serve(name: string, exchange: Exchange): Reply {
    const asset = this.#load().get(name);
    if (asset === undefined) throw new HttpError(404, 'no such file');
    const zipped = /\bgzip\b/.test(exchange.header('accept-encoding') ?? '');
    return {
      status: 200,
      headers: {
        'content-type': asset.type,
        vary: 'accept-encoding',
        ...(zipped ? { 'content-encoding': 'gzip' } : {}),
        // Every other name has the hash of its content in it.
        ...(name === 'index.html' ? {} : { 'cache-control': 'public, max-age=31536000, immutable' }),
      },
      body: zipped ? asset.gzip : asset.body,
    };
  }

  #load(): Map<string, Asset> {
    this.#files ??= places.map(read).find((files) => files.size > 0);
    if (this.#files === undefined) throw new HttpError(503, 'the page is not built: npm run build');
    return this.#files;
  }
}

function read(place: string): Map<string, Asset> {
  const folder = new URL(place, import.meta.url);
  const files = new Map<string, Asset>();
  try {
    for (const name of readdirSync(folder)) {
      const type = types[name.split('.').at(-1) ?? ''];
      if (type === undefined) continue;
      const body = readFileSync(new URL(name, folder));
      files.set(name, { type, body, gzip: gzipSync(body) });
    }
  } catch {
    // Not there.
  }
  return files;
}
