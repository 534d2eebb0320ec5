/** `npm run schemas` writes the JSON Schemas that the code holds into docs/schemas/, for editors and other programs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../platform/root.js';
import { publishedSchemas } from './published.js';

const folder = join(packageRoot(), 'docs', 'schemas');
const schemas = publishedSchemas();
mkdirSync(folder, { recursive: true });
for (const [name, text] of schemas) writeFileSync(join(folder, name), text);
process.stdout.write(`${schemas.size} schemas written to ${folder}\n`);
