/**
 * The decision in a simulator: virtual time, links, devices and edges that a seed decides, the agent's own planner and edge
 * watch. Against the best single choice and the best choice of each frame, both known only in hindsight, and with the
 * link judged as in the paper (harmonic mean). Everything here is simulated.
 *
 * JSON: {scenarios: [{scenario, steady, agent_ms, harmonic_ms, oracle_ms, best_fixed_ms, best_fixed, over_oracle, over_fixed,
 * changes, probes, lost, frames, skipped, p50_ms, p95_ms, p99_ms}], moving: [{scenario, seconds: [...], ...}], summary}
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ExitCode } from '../platform/errors.js';
import { runMain, usageError } from '../platform/main.js';
import { flag, parseOptions, text } from '../platform/options.js';
import { toolkit } from './rate/toolkit.js';
import { compare, defaultManifest, SETTINGS } from './simulator/compare.js';
import type { RunResult } from './simulator/run.js';
import { changingScenarios, steadyScenarios } from './simulator/scenarios.js';
import type { Scenario } from './simulator/world.js';

const usage = `usage: npm run bench:simulator -- [options] --json FILE

Runs the agent's decision through simulated links, devices and edges, in virtual time, and compares it with the best
single choice and with the best choice of each frame in hindsight. The same on every machine. Choices: the points
and rates of models/onnx/worksite.

  --quick      one steady link in ten: a check that all works
  --page FILE  Markdown page to write, with a picture beside the JSON (needs the toolkit's Python)
  --json FILE  the report
  --help       this text

Exit codes: 0 done, 2 wrong usage, 1 anything unexpected.`;

/** Traces whose course over time is kept for the picture. */
const SHOWN = ['LTE, moving, seed 11', 'Wi-Fi with interference, seed 21', 'weak Wi-Fi, seed 32'];

const manifest = defaultManifest();
const UNSEEN = new Set(changingScenarios(true).map(({ name }) => name));

function percentiles({ flights }: RunResult) {
  const sorted = flights.filter(({ outcome }) => outcome !== 'timeout').map(({ latency }) => latency);
  sorted.sort((a, b) => a - b);
  const at = (share: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
  return { p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99) };
}

function row(scenario: Scenario) {
  const { result, ...agent } = compare(scenario, manifest);
  const { agent_ms: harmonic_ms } = compare(scenario, manifest, { ...SETTINGS, estimator: 'harmonic' });
  const figures = Object.entries({ ...agent, harmonic_ms }).map(([key, value]) => [
    key,
    typeof value === 'number' ? round(value) : value,
  ]);
  return {
    row: {
      ...Object.fromEntries(figures),
      unseen: UNSEEN.has(scenario.name),
      skipped: result.skipped,
      ...percentiles(result),
    },
    result,
  };
}

/** One line a second: the link, what was chosen, and how long frames took. */
function course(scenario: Scenario, { flights }: RunResult) {
  return Array.from({ length: scenario.seconds }, (_, second) => {
    const within = flights.filter(({ takenAt }) => Math.floor(takenAt / 1000) === second);
    const { mbps } = scenario.link.at(second * 1000 + 500);
    const last = within.at(-1);
    return {
      mbps: round(mbps),
      choice: last ? (last.choice.id === 'device' ? 'device' : `${last.choice.id}/${last.choice.rate}`) : null,
      ms: within.length > 0 ? round(Math.max(...within.map(({ latency }) => latency))) : null,
      lost: within.filter(({ outcome }) => outcome === 'timeout').length,
    };
  });
}

const round = (value: number) => Math.round(value * 1000) / 1000;

runMain(usage, async (args) => {
  const { json, page, quick } = parseOptions(args, { json: text, page: text, quick: flag });
  if (json === undefined) throw usageError('--json FILE: say where the report goes');
  const steady = steadyScenarios().filter((_, i) => !quick || i % 10 === 0);
  const scenarios: ReturnType<typeof row>['row'][] = [];
  const moving = [];
  for (const scenario of [...steady, ...changingScenarios(), ...(quick ? [] : changingScenarios(true))]) {
    const { row: figures, result } = row(scenario);
    scenarios.push(figures);
    if (SHOWN.includes(scenario.name)) moving.push({ scenario: scenario.name, seconds: course(scenario, result) });
    process.stderr.write(
      `${scenario.name}: ${figures.agent_ms} ms, ${figures.over_fixed} of the best single choice, ${figures.over_oracle} of the oracle\n`,
    );
  }
  const of = (isSteady: boolean, key: 'over_fixed' | 'over_oracle', harmonic = false) => {
    const list = scenarios.filter((s) => s.steady === isSteady && !s.unseen);
    const base = key === 'over_fixed' ? 'best_fixed_ms' : 'oracle_ms';
    const ratios = list.map((s) => (harmonic ? s.harmonic_ms / s[base] : s[key]));
    return { mean: round(ratios.reduce((a, b) => a + b, 0) / ratios.length), most: round(Math.max(...ratios)) };
  };
  const summaryOf = (harmonic: boolean) => ({
    steady: {
      scenarios: steady.length,
      over_fixed: of(true, 'over_fixed', harmonic),
      over_oracle: of(true, 'over_oracle', harmonic),
    },
    changing: { over_fixed: of(false, 'over_fixed', harmonic), over_oracle: of(false, 'over_oracle', harmonic) },
  });
  const report = {
    simulated: true,
    command: `npm run bench:simulator -- ${args.join(' ')}`,
    wait: 'ms from a picture to the first answer of it or of a newer one, mean over all pictures',
    summary: { model: summaryOf(false), harmonic: summaryOf(true) },
    scenarios,
    moving,
  };
  if (page === undefined) {
    await writeFile(json, `${JSON.stringify(report)}\n`);
    return ExitCode.ok;
  }
  const folder = await mkdtemp(join(tmpdir(), 'deepcod-simulator-'));
  try {
    const measured = join(folder, 'measured.json');
    await writeFile(measured, JSON.stringify(report));
    await toolkit('decisions', measured, '--json', resolve(json), '--page', resolve(page));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return ExitCode.ok;
});
