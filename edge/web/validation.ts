import { Ajv } from 'ajv';
import type { FastifyInstance } from 'fastify';
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
  app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? strict : loose).compile(schema as object));
}
