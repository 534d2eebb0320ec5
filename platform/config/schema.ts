/**
 * The part of JSON Schema 2020-12 that configuration schemas use. `format: "path"` marks a file or folder: a relative one
 * is taken from the folder of the configuration file (from the working folder if it came from the environment or the
 * command line). `description` is shown in error messages: say what is allowed.
 */
export interface ConfigSchema {
  $schema?: string;
  $id?: string;
  title?: string;
  description?: string;
  type?: string | string[];
  properties?: Record<string, ConfigSchema>;
  required?: string[];
  additionalProperties?: boolean | ConfigSchema;
  items?: ConfigSchema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: ConfigSchema[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  format?: string;
  default?: unknown;
  examples?: unknown[];
}

/** A place in a configuration: `['camera', 'fps']`. */
export type ConfigPath = readonly (string | number)[];

/** `camera.fps`, `servers[2].name` */
export function pathText(path: ConfigPath): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}

/** Every value (not section) that a schema names, with its schema. */
export function* leaves(
  schema: ConfigSchema,
  path: string[] = [],
): Generator<{ path: string[]; schema: ConfigSchema }> {
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    if (child.properties) yield* leaves(child, [...path, key]);
    else yield { path: [...path, key], schema: child };
  }
}
