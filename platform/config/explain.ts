import type { ErrorObject } from 'ajv/dist/2020.js';
import { didYouMean } from '../suggest.js';
import { type ConfigPath, type ConfigSchema, pathText } from './schema.js';

/** One thing that is wrong: the place it concerns, and what is wrong there. */
export interface Complaint {
  path: ConfigPath;
  text: string;
}

/** `/camera/fps` -> `['camera', 'fps']` */
function pointerToPath(pointer: string): (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

const article = (type: string) => (/^[aeio]/.test(type) ? `an ${type}` : type === 'null' ? 'empty' : `a ${type}`);

/** Turns the validator's findings into complaints a person can act on: the key, the value, what is allowed. */
export function explain(errors: readonly ErrorObject[]): Complaint[] {
  // What a branch of anyOf says is summed up by the anyOf itself.
  const either = errors.filter((error) => error.keyword === 'anyOf').map((error) => error.schemaPath);
  const complaints = errors
    .filter((error) => !either.some((branch) => error.schemaPath.startsWith(`${branch}/`)))
    .map(explainOne);
  return complaints.filter(
    (complaint, i) =>
      complaints.findIndex((c) => pathText(c.path) === pathText(complaint.path) && c.text === complaint.text) === i,
  );
}

function explainOne(error: ErrorObject): Complaint {
  const path = pointerToPath(error.instancePath);
  const schema = (error.parentSchema ?? {}) as ConfigSchema;
  const value = shown(error.data);
  const also = schema.description ? ` (${schema.description})` : '';
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params.additionalProperty);
      return { path: [...path, key], text: `unknown key; ${didYouMean(key, Object.keys(schema.properties ?? {}))}` };
    }
    case 'required': {
      const key = String(error.params.missingProperty);
      const description = schema.properties?.[key]?.description;
      return { path: [...path, key], text: `missing${description ? `: ${description}` : ''}` };
    }
    case 'enum': {
      const allowed = (error.params.allowedValues as unknown[]).map(String);
      return { path, text: `${value} is not allowed; ${didYouMean(String(error.data), allowed)}${also}` };
    }
    case 'type': {
      const wanted = [error.params.type as string | string[]].flat().map(article).join(' or ');
      return { path, text: `${value} should be ${wanted}${also}` };
    }
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum': {
      const limit = { minimum: 'at least', maximum: 'at most', exclusiveMinimum: 'more than' }[error.keyword];
      return { path, text: `${value} should be ${limit} ${error.params.limit}${also}` };
    }
    default:
      return { path, text: `${value} ${schema.description ? `is not allowed${also}` : error.message}` };
  }
}
