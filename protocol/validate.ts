import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { ProtocolError, type ProtocolErrorCode } from './errors.js';

/** A JSON Schema of draft 2020-12. */
export type Schema = Record<string, unknown>;

/** More problems than this are not listed: the first ones are what a person can use. */
const maxProblems = 10;

/** Typing mistakes in a schema are errors; types and required keys may stand in different subschemas. */
const options = {
  verbose: true,
  discriminator: true,
  strictTypes: false,
  strictRequired: false,
  strictTuples: false,
} as const;

/**
 * Compiles a schema into a check.
 * @param schema draft 2020-12
 * @param what how messages call the thing ("manifest.json")
 * @param code of the ProtocolError thrown
 * @returns a function that returns its argument typed, or throws with every problem listed
 */
export function compileSchema<T>(schema: Schema, what: string, code: ProtocolErrorCode): (value: unknown) => T {
  // Untrusted values are first read without collecting errors; the slow, complete reading is for messages to people.
  const quick = new Ajv2020({ ...options, allErrors: false }).compile(schema);
  let complete: ReturnType<Ajv2020['compile']> | undefined;
  return (value: unknown): T => {
    if (quick(value)) return value as T;
    complete ??= new Ajv2020({ ...options, allErrors: true }).compile(schema);
    complete(value);
    const problems = describeSchemaErrors(complete.errors ?? []);
    throw new ProtocolError(code, listProblems(what, problems), problems);
  };
}

/** "manifest.json: a; b; c" */
export function listProblems(what: string, problems: readonly string[]): string {
  return `${what}: ${problems.join('; ')}`;
}

/** One line per problem: the key, the value, what is allowed. */
export function describeSchemaErrors(errors: readonly ErrorObject[]): string[] {
  const lines = new Set<string>();
  for (const error of errors) {
    if (lines.size >= maxProblems) break;
    // The branch that failed is described by its own errors.
    if (error.keyword === 'if' || error.keyword === 'oneOf' || error.keyword === 'anyOf') {
      if (errors.length > 1) continue;
    }
    lines.add(describe(error));
  }
  return [...lines];
}

function describe(error: ErrorObject): string {
  const where = keyPath(error.instancePath);
  const on = where === '' ? '' : `${where}: `;
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = String(params.additionalProperty ?? params.unevaluatedProperty);
      const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {});
      return `${on}unknown key ${show(name)}${known.length > 0 ? `; allowed: ${known.join(', ')}` : ''}`;
    }
    case 'propertyNames':
      return `${on}key ${show(params.propertyName)} is not allowed here`;
    case 'required':
      return `${on}missing key ${show(params.missingProperty)}`;
    case 'enum':
      return `${on}${show(error.data)}; allowed: ${(params.allowedValues as unknown[]).map(show).join(', ')}`;
    case 'const':
      return `${on}${show(error.data)}; allowed: ${show(params.allowedValue)}`;
    case 'type':
      return `${on}${show(error.data)}; must be of type ${String(params.type)}`;
    case 'discriminator':
      return `${on}${String(params.tag)} ${show(params.tagValue)} is not known`;
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return `${on}${show(error.data)}; must be ${String(params.comparison)} ${String(params.limit)}`;
    default: {
      const allowed = error.parentSchema?.description;
      const text = typeof allowed === 'string' ? allowed : (error.message ?? 'is not allowed');
      return `${on}${show(error.data)}; ${text}`;
    }
  }
}

/** "/partitions/0/code" as people write it: partitions[0].code */
export function keyPath(pointer: string): string {
  let path = '';
  for (const raw of pointer.split('/').slice(1)) {
    const key = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    if (/^\d+$/.test(key)) path += `[${key}]`;
    else if (/^[A-Za-z_]\w*$/.test(key)) path += path === '' ? key : `.${key}`;
    else path += `[${JSON.stringify(key)}]`;
  }
  return path;
}

/** A value as it stands in a message: JSON, cut to a readable length. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
