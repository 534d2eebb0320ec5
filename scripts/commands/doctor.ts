import { ExitCode } from '../../platform/errors.js';
import { usageError } from '../../platform/main.js';
import { flag, parseOptions, text, texts } from '../../platform/options.js';
import { writeArchive } from './doctor/archive.js';
import { allChecks } from './doctor/checks/index.js';
import { boardModel, thisMachine } from './doctor/environment.js';
import type { Known } from './doctor/known.js';
import { MOST_KB } from './doctor/probe.js';
import { DoctorExit, exitCode, makeReport } from './doctor/report.js';
import { chosen, runChecks } from './doctor/run.js';
import { noPaint, ProgressLine, paintFor, showReport } from './doctor/show.js';

const names = allChecks(undefined).map(({ name }) => name);

export const usage = `usage: ./scripts/deepcod doctor [options]

Why is it slow, blind or silent? Checks this device, its camera, its models, and every step of the way to the edge. Each
finding says what it means and what to do. Changes nothing; run it as root to see everything. Takes less than 30 seconds.
It sends at most ${MOST_KB} KB to the broker to see how fast the link is, and one test frame when the agent is not running.

  --config FILE     the agent's configuration (default: /etc/deepcod/agent.yaml, else the defaults)
  --only NAME       this check, and those that it needs; may be repeated:
                    ${names.slice(0, 9).join(', ')},
                    ${names.slice(9, 18).join(', ')},
                    ${names.slice(18).join(', ')}
  --json            the report for programs, as docs/schemas/doctor.schema.json says
  --archive FILE    also write a support archive (.tar.gz): findings, logs, configuration; passwords, keys and Wi-Fi
                    names are taken out
  --bundle FILE     the same as --archive
  --help            this text

Exit codes: 0 done, all is fine; 1 unexpected, 2 usage, ${DoctorExit.warnings} warnings, ${DoctorExit.failures} failures.`;

export async function run(args: string[]): Promise<number> {
  const values = parseOptions(args, { config: text, only: texts, json: flag, archive: text, bundle: text });
  if (values.archive !== undefined && values.bundle !== undefined) throw usageError('--bundle is --archive: name one');
  const archive = values.archive ?? values.bundle;
  const checks = chosen(allChecks(values.config), values.only ?? []);
  const env = thisMachine();
  const known: Known = {};
  const progress = new ProgressLine(process.stderr);
  if (!values.json && checks.some(({ name }) => name === 'link')) {
    process.stderr.write(`Up to ${MOST_KB} KB go to the broker.\n`);
  }
  const start = performance.now();
  const findings = await runChecks(checks, env, known, (...state) => progress.show(...state));
  progress.end();
  const seconds = (performance.now() - start) / 1000;
  const report = makeReport(findings, known, { at: env.now(), seconds, board: await boardModel(env) });
  const colour = paintFor(process.stdout, process.env);
  process.stdout.write(
    values.json ? `${JSON.stringify(report)}\n` : `${showReport(report, colour, process.stdout.columns)}\n`,
  );
  if (archive !== undefined) {
    const files = await writeArchive(archive, env, known, report, showReport(report, noPaint), values.config);
    process.stderr.write(`${archive}: ${files.length} files, without passwords and keys\n`);
  }
  return exitCode(report) || ExitCode.ok;
}
