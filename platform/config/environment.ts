import { parse } from 'yaml';
import { closest } from '../suggest.js';
import { type ConfigSchema, leaves } from './schema.js';

/** `['camera', 'fps']` -> `DEEPCOD_CAMERA_FPS` */
export function variableName(path: readonly string[]): string {
  return `DEEPCOD_${path.join('_')}`.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_');
}

/** Variables that mean something but are no configuration keys. */
const otherVariables = new Set(['DEEPCOD_LOG_FORMAT']);

export interface EnvironmentValue {
  path: string[];
  variable: string;
  value: unknown;
}

/** What the environment sets, and the variables that look like ours and name no key (they may belong to the other process). */
export function fromEnvironment(
  schema: ConfigSchema,
  env: NodeJS.ProcessEnv,
): { values: EnvironmentValue[]; unknown: { variable: string; near?: string }[] } {
  const known = new Map([...leaves(schema)].map((leaf) => [variableName(leaf.path), leaf]));
  const values: EnvironmentValue[] = [];
  const unknown: { variable: string; near?: string }[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('DEEPCOD_') || text === undefined || otherVariables.has(variable)) continue;
    const leaf = known.get(variable);
    if (leaf) values.push({ path: leaf.path, variable, value: fromText(text, leaf.schema) });
    else unknown.push({ variable, near: closest(variable, known.keys()) });
  }
  return { values, unknown };
}

/** Text as the schema wants it; what cannot be read stays text, and the schema then says what is wrong with it. */
function fromText(text: string, schema: ConfigSchema): unknown {
  if (schema.type === 'string') return text;
  if (schema.type === 'array' && !text.trim().startsWith('[')) {
    return text.split(',').map((part) => fromText(part.trim(), schema.items ?? {}));
  }
  try {
    return parse(text) as unknown;
  } catch {
    return text;
  }
}
