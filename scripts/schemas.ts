/** `npm run schemas` writes the JSON Schemas that the code holds into docs/schemas/, for editors and other programs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExitCode } from '../platform/errors.js';
import { runMain } from '../platform/main.js';
import { parseOptions } from '../platform/options.js';
import { packageRoot } from '../platform/root.js';
import { publishedApi, publishedSchemas } from './published.js';

const usage = `usage: npm run schemas

Writes the JSON Schemas that the code holds into docs/schemas/, and docs/openapi.json. Exit codes: 0 done, 1 unexpected, 2 wrong usage.

  --help  this text`;

runMain(usage, async (args) => {
  parseOptions(args, {});
  const folder = join(packageRoot(), 'docs', 'schemas');
  const schemas = publishedSchemas();
  writeFileSync(join(packageRoot(), 'docs', 'openapi.json'), await publishedApi());
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of schemas) writeFileSync(join(folder, name), text);
  process.stdout.write(`${schemas.size} schemas written to ${folder}, and openapi.json\n`);
  return ExitCode.ok;
});
