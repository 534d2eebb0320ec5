import { readFile } from 'node:fs/promises';
import { HuffmanError, openCoder } from '../../agent/huffman/index.js';
import { type Bundle, openBundle } from '../../platform/bundle.js';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { codeCells, type Partition, rawBytes } from '../../protocol/manifest.js';
import { decodeJpeg } from './jpeg.js';
import type { Route } from './route.js';

/** A bundle as the edge uses it: verified, its entropy tables read; models are loaded when a frame needs them. */
export interface EdgeBundle {
  readonly id: string;
  readonly name: string;
  readonly bundle: Bundle;
  /** By partition index. */
  readonly routes: readonly Route[];
  /** For frames that carry pixels. */
  readonly raw: Route;
  /** For JPEG files; absent where the manifest names no qualities. */
  readonly jpeg?: Route;
}

/**
 * Opens a bundle for the edge.
 * @throws DeepcodError (exit code 3) of platform/bundle, and `bundle_entropy` for entropy tables that cannot be used
 */
export async function openEdgeBundle(dir: string): Promise<EdgeBundle> {
  const bundle = await openBundle(dir);
  const { manifest } = bundle;
  const routes = await Promise.all(manifest.partitions.map((partition) => codedRoute(bundle, partition)));
  const raw = rawRoute(bundle);
  const jpeg = manifest.pictures && jpegRoute(raw, manifest.pictures.length);
  return { id: bundle.id, name: manifest.service.name, bundle, routes, raw, jpeg };
}

/** Opens bundles; the same one twice counts once. */
export async function openEdgeBundles(dirs: readonly string[]): Promise<Map<string, EdgeBundle>> {
  const bundles = new Map<string, EdgeBundle>();
  for (const dir of dirs) {
    const bundle = await openEdgeBundle(dir);
    bundles.set(bundle.id, bundle);
  }
  return bundles;
}

async function codedRoute(bundle: Bundle, partition: Partition): Promise<Route> {
  const { height, width, channels } = partition.code;
  const coder = await readCoder(bundle, partition);
  return {
    key: `${bundle.id}/${partition.id}`,
    bundle,
    partition: partition.id,
    rates: partition.rates.length,
    model: bundle.file(partition.tail),
    input: 'symbols',
    dims: [height, width, channels],
    cells: codeCells(partition.code),
    minBytes: 1,
    maxBytes: coder.maxBytes,
    sample: () => sampleOf(coder, partition),
    decode: (payload, rate, out) => coder.decode(payload, rate, out),
    ...(coder.inter && {
      decodeInter: (coded, reference, rate, out) => coder.decodeInter(coded, reference, rate, out),
    }),
  };
}

function rawRoute(bundle: Bundle): Route {
  const { manifest } = bundle;
  const bytes = rawBytes(manifest);
  return {
    key: `${bundle.id}/raw`,
    bundle,
    partition: 'raw',
    rates: 1,
    model: bundle.file(manifest.service.model),
    input: 'picture',
    dims: [manifest.input.height, manifest.input.width, 3],
    cells: bytes,
    minBytes: bytes,
    maxBytes: bytes,
    sample: () => new Uint8Array(bytes).fill(114),
    decode: (payload, _rate, out) => out.set(payload),
  };
}

/** The model of raw pixels, and batches with them: only what arrives is different. */
function jpegRoute(raw: Route, rates: number): Route {
  return {
    ...raw,
    partition: 'jpeg',
    rates,
    minBytes: 1,
    maxBytes: raw.cells,
    decodePicture: (payload, source) => decodeJpeg(payload, raw.bundle.manifest.input, source),
  };
}

/** A code of the middle symbol in which every tenth is another. */
function sampleOf(coder: ReturnType<typeof openCoder>, { code }: Partition): Uint8Array {
  const symbols = new Uint8Array(codeCells(code)).fill(code.levels >> 1);
  for (let i = 0; i < symbols.length; i += 10) symbols[i] = (i / 10) % code.levels;
  const payload = new Uint8Array(coder.maxBytes);
  return payload.slice(0, coder.encode(symbols, 0, payload));
}

async function readCoder(bundle: Bundle, partition: Partition): Promise<ReturnType<typeof openCoder>> {
  const path = bundle.file(partition.entropy);
  const fail = (reason: string): DeepcodError =>
    new DeepcodError(
      'bundle_entropy',
      `${path}: ${reason}`,
      'Export the bundle again with the toolkit.',
      ExitCode.bundle,
    );
  try {
    const coder = openCoder(JSON.parse(await readFile(path, 'utf8')), partition.code);
    if (coder.rates >= partition.rates.length) return coder;
    throw fail(`tables for ${coder.rates} rates; the manifest has ${partition.rates.length}`);
  } catch (error) {
    if (error instanceof HuffmanError || error instanceof SyntaxError) throw fail(error.message);
    throw error;
  }
}
