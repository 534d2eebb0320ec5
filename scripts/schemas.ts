/** `npm run schemas` writes what the code holds into docs/: the JSON Schemas, the manual page, the field guide's findings. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExitCode } from '../platform/errors.js';
import { runMain } from '../platform/main.js';
import { parseOptions } from '../platform/options.js';
import { packageRoot } from '../platform/root.js';
import { FIELD_GUIDE, fieldGuide } from './field-guide.js';
import { manPage } from './man.js';
import { publishedApi, publishedClient, publishedSchemas } from './published.js';

const usage = `usage: npm run schemas

Writes the JSON Schemas that the code holds into docs/schemas/, the usage texts into docs/man/deepcod.1, and what doctor can
find into docs/field-guide.md, and the API into docs/openapi.json and
client/types.ts. Exit codes: 0 done, 1 unexpected, 2 wrong usage.

  --help  this text`;

runMain(usage, async (args) => {
  parseOptions(args, {});
  const folder = join(packageRoot(), 'docs', 'schemas');
  const schemas = publishedSchemas();
  const api = await publishedApi();
  writeFileSync(join(packageRoot(), 'docs', 'openapi.json'), api);
  writeFileSync(join(packageRoot(), 'client', 'types.ts'), publishedClient(api));
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of schemas) writeFileSync(join(folder, name), text);
  const man = join(packageRoot(), 'docs', 'man');
  mkdirSync(man, { recursive: true });
  writeFileSync(join(man, 'deepcod.1'), await manPage());
  writeFileSync(FIELD_GUIDE, fieldGuide());
  process.stdout.write(
    `${schemas.size} schemas written to ${folder}, and docs/openapi.json, client/types.ts, docs/man/deepcod.1, docs/field-guide.md\n`,
  );
  return ExitCode.ok;
});
