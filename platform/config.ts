import { dirname, isAbsolute, resolve } from 'node:path';
import { fromEnvironment } from './config/environment.js';
import { type ConfigPath, type ConfigSchema, leaves, pathText } from './config/schema.js';
import { validate } from './config/validator.js';
import { readYaml, type YamlFile } from './config/yaml.js';
import { DeepcodError, ExitCode } from './errors.js';

export type { ConfigSchema } from './config/schema.js';
export { readSecret, readSecretBytes } from './config/secret.js';

export interface ConfigSources {
  /** YAML file; without one, the schema's defaults are the start. */
  file?: string;
  /** Variables `DEEPCOD_SECTION_KEY` override the file. */
  env?: NodeJS.ProcessEnv;
  /** Nested values, usually of the command line; they override everything. undefined is left out. */
  overrides?: Record<string, unknown>;
  /** Told about variables that begin with DEEPCOD_ and name no key. */
  warn?: (message: string) => void;
}

type Tree = Record<string, unknown>;

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads a configuration: schema defaults, then the YAML file, then the environment, then overrides.
 * @returns the checked configuration, paths made absolute
 * @throws DeepcodError `config_invalid` that lists everything wrong, one line each: file:line, key, value, what is allowed
 */
export function loadConfig<T>(schema: ConfigSchema, sources: ConfigSources = {}): T {
  const { file, env = {}, overrides = {}, warn } = sources;
  const yaml: YamlFile = file === undefined ? { value: {}, lineOf: () => undefined } : readYaml(file);
  if (!isTree(yaml.value)) {
    throw new DeepcodError('config_invalid', `${file}: should hold keys and values`, undefined, ExitCode.usage);
  }
  const config = structuredClone(yaml.value);
  /** Where a value came from, if not from the file. */
  const origins = new Map<string, string>();

  const environment = fromEnvironment(schema, env);
  for (const { path, variable, value } of environment.values) {
    set(config, path, value);
    origins.set(pathText(path), variable);
  }
  for (const { variable, near } of environment.unknown) {
    warn?.(`${variable} names no configuration key of this process${near ? `; did you mean ${near}?` : ''}`);
  }
  for (const [path, value] of flatten(overrides)) {
    set(config, path, value);
    origins.set(pathText(path), 'command line');
  }

  const complaints = validate(schema, config);
  if (complaints.length > 0) {
    const lines = complaints.map(({ path, text }) => `${where(path)}: ${pathText(path)}: ${text}`);
    throw new DeepcodError(
      'config_invalid',
      lines.join('\n'),
      schema.$id ? `Every key is described in ${schema.$id}.` : undefined,
      ExitCode.usage,
    );
  }
  resolvePaths();
  return config as T;

  function where(path: ConfigPath): string {
    const origin = origins.get(pathText(path));
    if (origin) return origin;
    const line = yaml.lineOf(path);
    return line === undefined ? (file ?? 'configuration') : `${file}:${line}`;
  }

  function resolvePaths(): void {
    for (const leaf of leaves(schema)) {
      if (leaf.schema.format !== 'path') continue;
      const parent = leaf.path.slice(0, -1).reduce<unknown>((at, key) => (isTree(at) ? at[key] : undefined), config);
      const key = leaf.path[leaf.path.length - 1];
      if (!isTree(parent) || typeof parent[key] !== 'string' || isAbsolute(parent[key])) continue;
      const fromFile = file !== undefined && !origins.has(pathText(leaf.path));
      parent[key] = resolve(fromFile ? dirname(file) : process.cwd(), parent[key]);
    }
  }
}

function set(tree: Tree, path: readonly string[], value: unknown): void {
  let at = tree;
  for (const key of path.slice(0, -1)) {
    if (!isTree(at[key])) at[key] = {};
    at = at[key] as Tree;
  }
  at[path[path.length - 1]] = value;
}

function* flatten(tree: Tree, path: string[] = []): Generator<[string[], unknown]> {
  for (const [key, value] of Object.entries(tree)) {
    if (value === undefined) continue;
    if (isTree(value)) yield* flatten(value, [...path, key]);
    else yield [[...path, key], value];
  }
}
