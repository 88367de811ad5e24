// The console's pages as they were built, read into memory once: what is not among them cannot be asked for.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { PageFile, PageFiles } from '../boundaries.ts';
import { listIn } from './files.ts';

/** The pages are some tens of files and some hundred kilobytes; more is not ours. */
const FILES_MAX = 200;
const BYTES_MAX = 8 * 1024 * 1024;
/** Less gains nothing. */
const PACKED_FROM_BYTES = 512;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};
const PACKABLE = /^(?:text\/|application\/json|image\/svg|application\/manifest)/;
/** `main-3fa9c2d1.js`: the builder puts a hash of the content into the name. */
const HASHED = /[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;

/** The files below `folder` by their path from `/`; none where it was not built. Rejects as the file system does. */
export async function readPageFiles(folder: string): Promise<PageFiles> {
  if ((await listIn(folder)).length === 0) return new Map();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
  const files = new Map<string, PageFile>();
  let bytes = 0;
  for (const path of paths) {
    const type = TYPES[extname(path)];
    if (type === undefined || files.size >= FILES_MAX) continue;
    const plain = await readFile(join(folder, path));
    bytes += plain.length;
    if (bytes > BYTES_MAX) break;
    const packed = PACKABLE.test(type) ? await packedOf(folder, path, plain, paths) : {};
    files.set(`/${path.split(sep).join('/')}`, fileOf(path, type, plain, packed));
  }
  return files;
}

function fileOf(path: string, type: string, plain: Buffer, packed: PageFile['packed']): PageFile {
  const etag = createHash('sha256').update(plain).digest('base64url').slice(0, 22);
  const lasting = HASHED.test(path) && !path.endsWith('.html');
  return { type, etag, lasting, plain, packed };
}

/** As it was packed at build, else packed now. */
async function packedOf(
  folder: string,
  path: string,
  plain: Buffer,
  all: readonly string[],
): Promise<PageFile['packed']> {
  if (plain.length < PACKED_FROM_BYTES) return {};
  const beside = async (suffix: string) =>
    all.includes(`${path}${suffix}`) ? readFile(join(folder, `${path}${suffix}`)) : undefined;
  const br = (await beside('.br')) ?? (await promisify(brotliCompress)(plain, QUICK));
  return { br, gzip: (await beside('.gz')) ?? (await promisify(gzip)(plain)) };
}

/** The best costs seconds on a small processor; that is for the build. */
const QUICK = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };
