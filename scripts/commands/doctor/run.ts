import { usageError } from '../../../platform/main.js';
import { didYouMean } from '../../../platform/suggest.js';
import type { Check, Context, Finding, Meaning, Values } from './check.js';
import type { Environment } from './environment.js';
import type { Known } from './known.js';
import { limited } from './within.js';

/** After so long whatever still runs is given up, ms. */
export const TOTAL_MS = 28_000;

/** What any check can end in. */
export const common = {
  timeout: {
    status: 'warning',
    means: 'A check took longer than it may. The device may be very busy, or what was looked at does not answer.',
    todo: 'Run it alone: `deepcod doctor --only {check}`. If it stays so, send the archive: `deepcod doctor --archive support.tar.gz`.',
  },
  check_failed: {
    status: 'warning',
    means: 'A check itself failed: a mistake in this program, or a system that it does not know.',
    todo: 'Send the archive to who supports you: `deepcod doctor --archive support.tar.gz`.',
  },
} as const satisfies Record<string, Meaning>;

/** Told of the checks that are at work. */
export type Progress = (running: readonly string[], done: number, all: number) => void;

/**
 * Runs checks, each when what it needs is known; those that need nothing of one another at the same time.
 * @returns their findings in the order of `checks`; never rejects for what a check does
 */
export async function runChecks(
  checks: readonly Check[],
  env: Environment,
  known: Known,
  progress: Progress = () => {},
  totalMs = TOTAL_MS,
): Promise<Finding[]> {
  const over = limited(totalMs);
  const giver = new Map(checks.flatMap((check) => (check.gives ?? []).map((fact) => [fact, check.name] as const)));
  const done = new Map<string, Promise<Finding[]>>();
  const ends: (() => Promise<void> | void)[] = [];
  const running = new Set<string>();
  let finished = 0;

  const start = async (check: Check): Promise<Finding[]> => {
    const before = [...(check.after ?? []), ...factsOf(check).map((fact) => giver.get(fact))];
    await Promise.all(before.map((name) => name !== undefined && done.get(name)));
    const missing = (check.needs ?? []).find((fact) => known[fact] === undefined);
    const { name, group } = check;
    if (missing !== undefined) {
      finished++;
      return [{ id: 'skipped', check: name, group, status: 'skipped', what: `see ${giver.get(missing) ?? missing}` }];
    }
    running.add(check.title);
    progress([...running], finished, checks.length);
    const findings = await runOne(check, env, known, over.signal, ends);
    running.delete(check.title);
    finished++;
    progress([...running], finished, checks.length);
    return findings;
  };
  // In order: a check's givers are in the map before it looks for them.
  for (const check of checks) done.set(check.name, start(check));
  const findings = (await Promise.all(done.values())).flat();
  over.end();
  for (const end of ends.reverse()) await Promise.resolve(end()).catch(() => undefined);
  return findings;
}

/** All that a check waits for. */
const factsOf = ({ needs = [], uses = [] }: Check): (keyof Known)[] => [...needs, ...uses];

async function runOne(
  check: Check,
  env: Environment,
  known: Known,
  over: AbortSignal,
  ends: (() => Promise<void> | void)[],
): Promise<Finding[]> {
  const { name, group } = check;
  const findings: Finding[] = [];
  let closed = false;
  const add = (id: string, { status, symptom, means, todo }: Meaning, what: string, values: Values = {}) => {
    if (closed) return;
    const shown = Object.entries(values).filter(
      (pair): pair is [string, string | number | boolean] => pair[1] !== undefined,
    );
    const filled = todo?.replaceAll(/\{(\w+)\}/g, (blank, key) => String(values[key] ?? blank));
    findings.push({
      ...{ id, check: name, group, status },
      ...(symptom && { symptom }),
      ...{ what, means },
      ...(filled && { todo: filled }),
      ...(shown.length > 0 && { values: Object.fromEntries(shown) }),
    });
  };
  const { signal, end } = limited(check.timeoutMs, over);
  const context: Context = {
    ...{ env, known, signal },
    tell: (id, what, values) => add(id, check.findings[id], what, values),
    skip(why, todo) {
      if (closed) return;
      findings.push({ id: 'skipped', check: name, group, status: 'skipped', what: why, ...(todo && { todo }) });
    },
    atEnd: (work) => void ends.push(work),
  };
  const start = performance.now();
  const late = new Promise<'late'>((resolve) =>
    signal.addEventListener('abort', () => resolve('late'), { once: true }),
  );
  try {
    const outcome = await Promise.race([check.run(context), late]);
    if (outcome === 'late') timedOut();
  } catch (error) {
    if (signal.aborted) timedOut();
    else
      add('check_failed', common.check_failed, (error as Error).stack?.split('\n')[0] ?? String(error), {
        check: name,
      });
  }
  end();
  closed = true;
  return findings;

  function timedOut(): void {
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    add('timeout', common.timeout, `${check.title}: no end after ${seconds} s`, { check: name });
  }
}

/**
 * The checks that were asked for, and those that they need.
 * @param names of --only; none: all @throws DeepcodError `usage` for a name that is none
 */
export function chosen(checks: readonly Check[], names: readonly string[]): Check[] {
  if (names.length === 0) return [...checks];
  const wanted = new Set<string>();
  const add = (name: string): void => {
    const check = checks.find((one) => one.name === name);
    if (!check) {
      const all = checks.map((one) => one.name);
      throw usageError(`--only ${name}: no such check; ${didYouMean(name, all)}`);
    }
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const fact of factsOf(check)) {
      const giver = checks.find(({ gives }) => gives?.includes(fact));
      if (giver) add(giver.name);
    }
  };
  for (const name of names) add(name);
  return checks.filter(({ name }) => wanted.has(name));
}
