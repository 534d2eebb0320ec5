import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, posix } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** How a browser may get a file; the smallest first. */
export const ENCODINGS = ['br', 'gzip'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** A file of the page, in memory. */
export interface PageFile {
  type: string;
  tag: string;
  body: Buffer;
  /** The same, compressed when somebody asks for it; undefined where that makes it no smaller. */
  packed(encoding: Encoding): Promise<Buffer | undefined>;
  /** What is at this address never changes: another version has another address. */
  fixed: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.png': 'image/png',
};
const INDEX = 'index.html';
const SCRIPT = 'main.js';
/** Of brotli: nearly as small as the best, in a tenth of the time. */
const QUALITY = 9;

/**
 * Reads the page's files once. Requests are answered from this map alone: no path of a request ever reaches the file
 * system, so there is nothing to climb out of. All files but the index lie below the version of the page, a hash of all of
 * them: a browser asks for each once, and never mixes two versions.
 * @returns by URL path; `/` is index.html, with the files that it needs named at once
 */
export async function readPage(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const bodies = new Map<string, Buffer>();
  const names = (await readdir(folder, { recursive: true })).map((name) => name.replaceAll('\\', '/')).sort();
  for (const name of names) if (TYPES[extname(name)]) bodies.set(name, await readFile(join(folder, name)));
  const version = hash(...[...bodies].flat());
  const files = new Map<string, PageFile>();
  for (const [name, body] of bodies) {
    if (name === INDEX) files.set('/', pageFile(name, indexOf(bodies, version), false));
    else files.set(`/${version}/${name}`, pageFile(name, body, true));
  }
  return files;
}

/** The index, its files at the addresses of this version, and every module named, so that none waits for another. */
function indexOf(bodies: ReadonlyMap<string, Buffer>, version: string): Buffer {
  const preloads = modulesOf(bodies)
    .filter((name) => name !== SCRIPT)
    .map((name) => `<link rel="modulepreload" href="${version}/${name}" />`);
  const html = (bodies.get(INDEX) as Buffer)
    .toString('utf8')
    .replace(/\b(href|src)="([a-z]+(?:\/[a-z]+)*\.(?:css|js|svg))"/g, `$1="${version}/$2"`)
    .replace('</head>', `${preloads.join('')}</head>`);
  return Buffer.from(html);
}

/** What the page's script imports, and what that does, and so on. */
function modulesOf(bodies: ReadonlyMap<string, Buffer>): string[] {
  const found = new Set<string>();
  const follow = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    const text = bodies.get(name)?.toString('utf8') ?? '';
    for (const [, next] of text.matchAll(/ from '(\.[^']+)'/g)) follow(posix.join(posix.dirname(name), next as string));
  };
  follow(SCRIPT);
  return [...found];
}

const packers: Readonly<Record<Encoding, (body: Buffer) => Promise<Buffer>>> = {
  br: (body) => promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY } }),
  gzip: (body) => promisify(gzip)(body, { level: 9 }),
};

function pageFile(name: string, body: Buffer, fixed: boolean): PageFile {
  const packed = new Map<Encoding, Promise<Buffer | undefined>>();
  const pack = async (encoding: Encoding): Promise<Buffer | undefined> => {
    const smaller = await packers[encoding](body);
    return smaller.length < body.length * 0.9 ? smaller : undefined;
  };
  return {
    type: TYPES[extname(name)] as string,
    // weak: the same words, however they are packed
    tag: `W/"${hash(body)}"`,
    body,
    packed(encoding) {
      const known = packed.get(encoding) ?? pack(encoding);
      packed.set(encoding, known);
      return known;
    },
    fixed,
  };
}

function hash(...parts: (string | Buffer)[]): string {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(`${Buffer.byteLength(part)}:`).update(part);
  return sum.digest('base64url').slice(0, 22);
}
