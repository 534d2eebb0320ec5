import { Ajv } from 'ajv';
import type { FastifyInstance } from 'fastify';
import type { FastifySchemaValidationError } from 'fastify/types/schema.js';
import { apiSchemas } from './schemas/index.js';

/**
 * How requests are checked: words of a query become the numbers that its schema asks for; a body is what it is. Unknown
 * keys are errors in both.
 */
export function validateStrictly(app: FastifyInstance): void {
  const options = { useDefaults: true, allErrors: false, strictTypes: false, keywords: ['operationId'] };
  const loose = new Ajv({ ...options, coerceTypes: 'array' });
  const strict = new Ajv(options);
  for (const schema of apiSchemas) {
    loose.addSchema(schema);
    strict.addSchema(schema);
  }
  app.setSchemaErrorFormatter((errors, part) => new Error(sentence(errors[0], part)));
  app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? strict : loose).compile(schema as object));
}

/** What is wrong, and where: `body/points/0: must be ...` */
function sentence(
  { instancePath, message = 'is not valid', params }: FastifySchemaValidationError,
  part: string,
): string {
  const where = `${part}${instancePath}`;
  if (typeof params.additionalProperty === 'string') return `${where}: unknown key "${params.additionalProperty}"`;
  if (Array.isArray(params.allowedValues)) return `${where}: ${message}: ${params.allowedValues.join(', ')}`;
  return `${where}: ${message}`;
}
