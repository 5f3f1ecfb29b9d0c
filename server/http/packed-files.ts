/** Files of the page as gzip: phones in a room share one radio. Packed once, when somebody first asks. */
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FastifyRequest } from 'fastify';

/** Files that are kept packed; the page has a few. Others are sent as they are. */
const PACKED_MAX = 64;
/** What is named by its contents never changes, so it has to be read once only. */
const PACKABLE = /^\/assets\//;

const TYPES: { readonly [extension: string]: string } = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface PackedFile {
  readonly body: Buffer;
  readonly headers: { readonly [name: string]: string };
}

export class PackedFiles {
  readonly #packed = new Map<string, PackedFile>();

  /** `path` is that of a file in `folder`, with a slash before it. */
  of({ headers }: FastifyRequest, folder: string, path: string): PackedFile | 'as it is' {
    const type = TYPES[extname(path)];
    if (type === undefined || !PACKABLE.test(path)) return 'as it is';
    if (!/\bgzip\b/.test(String(headers['accept-encoding'] ?? ''))) return 'as it is';
    const known = this.#packed.get(path);
    if (known !== undefined) return known;
    if (this.#packed.size === PACKED_MAX) return 'as it is';
    const packed = {
      body: gzipSync(readFileSync(join(folder, path))),
      headers: { 'content-type': type, 'content-encoding': 'gzip', vary: 'accept-encoding' },
    };
    this.#packed.set(path, packed);
    return packed;
  }
}
