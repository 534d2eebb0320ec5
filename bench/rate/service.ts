import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isImageFile } from '../../agent/camera/replay/images.js';
import { usageError } from '../../platform/main.js';
import { packageRoot } from '../../platform/root.js';
import { cacheFolder } from './cache.js';
import { type Dataset, hashFile, hashFolders, sha256 } from './dataset.js';
import { dataFolder, type RateOptions } from './options.js';
import { toolkit } from './toolkit.js';

/** Photos that the entropy tables are trained on. */
const TABLE_PICTURES = 300;
/** What decides, besides service and codecs, how a bundle comes out. */
const TOOLKIT = ['training/deepcod/export', 'training/deepcod/codec', 'training/deepcod/graph', 'agent/huffman'];

/**
 * Makes the bundles of a third party's service: one of the codecs as they are used, one of those of the paper's form where there
 * are any (a bundle holds one codec for each partition point). Made once; kept by hashes of all that goes in.
 * @throws usageError for a service without a description, or without codecs where they are to be measured
 */
export async function serviceBundles(options: RateOptions & { service: string }, dataset: Dataset): Promise<string[]> {
  const description = await findDescription(options.service);
  const { name, picture } = JSON.parse(await readFile(description, 'utf8')) as {
    name: string;
    picture: { width: number; height: number };
  };
  const wanted = options.methods.includes('ours') || options.methods.includes('paper');
  const groups = wanted ? await codecGroups(options, name) : [[]];
  const sources = await tableSources(options, dataset);
  const size = Math.max(picture.width, picture.height);
  const packs = await packed(sources, size);
  const fixed = [
    await hashFile(options.service),
    await hashFile(description),
    await hashFolders(TOOLKIT.map((folder) => join(packageRoot(), folder))),
    ...packs.keys(),
  ];

  const bundles: string[] = [];
  for (const codecs of groups) {
    const key = sha256(...fixed, ...(await Promise.all(codecs.map(hashFile)))).slice(0, 24);
    const out = join(cacheFolder(), 'bundles', key, name);
    if (!existsSync(join(out, 'manifest.json'))) {
      process.stderr.write(
        `Making the bundle of ${name} with ${codecs.map((c) => basename(c)).join(', ') || 'no codec'} ...\n`,
      );
      const args = ['export', '--service', description, '--model', options.service, '--out', out];
      args.push('--table-pictures', String(TABLE_PICTURES), '--codecs', ...codecs, '--pictures', ...packs.values());
      await toolkit(...args);
    }
    bundles.push(out);
  }
  return bundles;
}

/**
 * training/services/NAME.json where the file is NAME.onnx or NAME-SIZE.onnx.
 * @throws usageError for a service without a description
 */
export async function findDescription(service: string): Promise<string> {
  const folder = join(packageRoot(), 'training', 'services');
  const known = (await readdir(folder)).filter((file) => file.endsWith('.json')).map((file) => basename(file, '.json'));
  const stem = basename(service, '.onnx');
  const name = known.find((name) => name === stem || name === stem.replace(/-\d+$/, ''));
  if (name) return join(folder, `${name}.json`);
  throw usageError(
    `--service ${service}: there is no description training/services/${stem}.json; described are ${known.join(', ')}. ` +
      'docs/training.md says how to write one, and how to train codecs.',
  );
}

/** The codecs in use, and those of the paper's form. */
async function codecGroups(options: RateOptions, name: string): Promise<string[][]> {
  const folder = options.codecs ?? join(packageRoot(), 'models', 'codecs', name);
  const files = existsSync(folder) ? (await readdir(folder)).filter((file) => file.endsWith('.pt')).sort() : [];
  const paths = files.map((file) => join(folder, file));
  const paper = (path: string) => path.endsWith('-paper.pt');
  const groups = [
    options.methods.includes('ours') ? paths.filter((path) => !paper(path)) : [],
    options.methods.includes('paper') ? paths.filter(paper) : [],
  ].filter((group) => group.length > 0);
  if (groups.length > 0) return groups;
  throw usageError(
    `no codecs (*.pt) of ${name} in ${folder}: train some (docs/training.md), name their folder with --codecs, ` +
      'or measure the image codecs alone with --methods jpeg,webp,avif',
  );
}

/** Photos or packs for the tables. Photos that are measured on are refused, whatever their names. */
async function tableSources(options: RateOptions, dataset: Dataset): Promise<string[]> {
  const standard = [join(dataFolder(), 'photos'), join(dataFolder(), 'coco-train', 'images')];
  const sources = options.pictures.length > 0 ? options.pictures : standard.filter((folder) => existsSync(folder));
  if (sources.length === 0) {
    throw usageError('--pictures PATH: name photos to train the entropy tables on, other than those to measure on');
  }
  const measured = new Set(dataset.hashes.values());
  for (const source of sources) {
    for (const photo of await photosOf(source)) {
      if (measured.has(await hashFile(photo))) {
        throw usageError(`--pictures ${source}: ${photo} is one of the photos to measure on; give others`);
      }
    }
  }
  return sources;
}

async function photosOf(source: string): Promise<string[]> {
  if (source.endsWith('.npz')) return [];
  const entries = await readdir(source, { recursive: true });
  return entries
    .filter(isImageFile)
    .sort()
    .map((entry) => join(source, entry));
}

/** Packs by hash: those given, and one of the photos given. */
async function packed(sources: readonly string[], size: number): Promise<Map<string, string>> {
  const packs = new Map<string, string>();
  const folders = sources.filter((source) => !source.endsWith('.npz'));
  for (const source of sources) if (source.endsWith('.npz')) packs.set(await hashFile(source), source);
  if (folders.length === 0) return packs;
  const photos = (await Promise.all(folders.map(photosOf))).flat();
  const hashes = await Promise.all(photos.map(hashFile));
  const key = sha256(String(size), String(TABLE_PICTURES), ...hashes).slice(0, 24);
  const out = join(cacheFolder(), 'packs', `${key}.npz`);
  if (!existsSync(out)) {
    await mkdir(dirname(out), { recursive: true });
    await toolkit('pack', ...folders, '--out', out, '--size', String(size), '--limit', String(TABLE_PICTURES));
  }
  return packs.set(key, out);
}
