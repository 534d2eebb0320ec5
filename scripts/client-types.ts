/** What of an OpenAPI document the client's types are made from. */
export interface OpenApi {
  components: { schemas: Record<string, Schema> };
  paths: Record<string, Record<string, Operation>>;
}

interface Operation {
  operationId: string;
  summary?: string;
  parameters?: { in: string; name: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

interface Schema {
  $ref?: string;
  type?: string;
  enum?: unknown[];
  const?: unknown;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
}

/** TypeScript for the client: an interface for each schema, and a table of operations with a type for each. */
export function clientTypes({ components, paths }: OpenApi): string {
  const lines = [
    '/** What the edge’s API speaks of. Written by `npm run schemas` from docs/openapi.json: change the routes, not this. */',
    '',
  ];
  for (const [name, schema] of Object.entries(components.schemas)) {
    if (schema.description) lines.push(`/** ${schema.description} */`);
    lines.push(`export interface ${name} ${typeOf(schema, '')}`, '');
  }
  const table: string[] = [];
  const types: string[] = [];
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const { operationId: id, summary } = operation;
      table.push(`  ${id}: { method: '${method.toUpperCase()}', path: '${path}' },`);
      if (summary) types.push(`  /** ${summary}. */`);
      types.push(`  ${id}: {`, ...partsOf(operation), '  };');
    }
  }
  lines.push('/** Method and path of each operation. */', 'export const operations = {', ...table, '} as const;', '');
  lines.push('/** What each operation takes and gives. */', 'export interface Operations {', ...types, '}', '');
  return lines.join('\n');
}

function partsOf({ parameters = [], requestBody, responses }: Operation): string[] {
  const parts: string[] = [];
  for (const [where, key] of [
    ['path', 'params'],
    ['query', 'query'],
  ] as const) {
    const mine = parameters.filter((parameter) => parameter.in === where);
    if (mine.length === 0) continue;
    const optional = mine.some(({ required }) => required) ? '' : '?';
    const fields = mine.map(({ name, required, schema }) => `${name}${required ? '' : '?'}: ${typeOf(schema, '    ')}`);
    parts.push(`    ${key}${optional}: { ${fields.join('; ')} };`);
  }
  const body = requestBody?.content['application/json']?.schema;
  if (body) parts.push(`    body: ${typeOf(body, '    ')};`);
  const ok = Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1].content ?? {};
  const [[type, answer] = ['', undefined]] = Object.entries(ok);
  if (type === 'application/json' && answer) parts.push(`    answer: ${typeOf(answer.schema, '    ')};`);
  else parts.push(`    answer: ${type === '' ? 'undefined' : 'Response'};`);
  return parts;
}

function typeOf(schema: Schema, indent: string): string {
  const { $ref, type, items, properties, required = [], additionalProperties: more } = schema;
  if ($ref) return $ref.replace('#/components/schemas/', '');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => `'${String(value)}'`).join(' | ');
  if (type === 'array') return items ? `(${typeOf(items, indent)})[]` : 'unknown[]';
  if (properties) {
    const fields = Object.entries(properties).flatMap(([name, field]) => [
      ...(field.description ? [`${indent}  /** ${field.description} */`] : []),
      `${indent}  ${name}${required.includes(name) ? '' : '?'}: ${typeOf(field, `${indent}  `)};`,
    ]);
    return `{\n${fields.join('\n')}\n${indent}}`;
  }
  if (type === 'object') return `Record<string, ${typeof more === 'object' ? typeOf(more, indent) : 'unknown'}>`;
  return { integer: 'number', number: 'number', boolean: 'boolean', string: 'string' }[type ?? ''] ?? 'unknown';
}
