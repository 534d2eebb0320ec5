import type { Environment } from './environment.js';
import type { Known } from './known.js';

export type Status = 'pass' | 'warning' | 'failure' | 'skipped';

/** What somebody sees who calls for help: results come late, pictures show nothing, or nothing comes at all. */
export const symptoms = ['silent', 'blind', 'slow'] as const;
export type Symptom = (typeof symptoms)[number];

/** Headings of the report, in its order: the way of a frame, from what it needs to what comes back. */
export const groups = ['configuration', 'device', 'camera', 'model', 'network', 'edge', 'agent'] as const;
export type Group = (typeof groups)[number];

/** What a check can find, in words that hold for every device. docs/field-guide.md lists them all. */
export interface Meaning {
  status: Exclude<Status, 'skipped'>;
  /** What it is the cause of. */
  symptom?: Symptom;
  means: string;
  /** What to do; commands in backquotes, `{name}` is filled in with the finding's values. */
  todo?: string;
}

/** Values of a finding: for programs, and for the blanks of `todo`. */
export type Values = Record<string, string | number | boolean | undefined>;

/** One thing that was found on this device. */
export interface Finding {
  /** Key of the check's meanings, or one of the runner's (`skipped`, `timeout`, `check_failed`). */
  id: string;
  check: string;
  group: Group;
  status: Status;
  symptom?: Symptom;
  /** What is so here, with figures: one line. */
  what: string;
  means?: string;
  todo?: string;
  values?: Record<string, string | number | boolean>;
}

/** What a check works with. */
export interface Context<K extends string = string> {
  env: Environment;
  /** What earlier checks learnt; this one may add what it `gives`. */
  known: Known;
  /** Reports a finding. @param what one line: what is so here */
  tell(id: K, what: string, values?: Values): void;
  /** Reports that something could not be looked at. @param todo what would make it possible */
  skip(why: string, todo?: string): void;
  /** Aborted when the check's time is over. */
  signal: AbortSignal;
  /** Called after all checks, the latest first. */
  atEnd(work: () => Promise<void> | void): void;
}

/** One check: a file in checks/ and a line in checks/index.ts. */
export interface Check {
  /** For --only. */
  name: string;
  /** What is looked at, for progress: "broker login". */
  title: string;
  group: Group;
  /** Longest time, ms. */
  timeoutMs: number;
  /** Facts without which it is skipped; it starts when their givers are done. */
  needs?: readonly (keyof Known)[];
  /** Facts that it looks at where they are to be had. */
  uses?: readonly (keyof Known)[];
  /** Facts that it finds out. */
  gives?: readonly (keyof Known)[];
  /** Checks that must be over, whatever they found. */
  after?: readonly string[];
  findings: Readonly<Record<string, Meaning>>;
  run(context: Context): Promise<void>;
}

/** Types a check: what it tells is what it lists. */
export function defineCheck<K extends string>(
  check: Omit<Check, 'findings' | 'run'> & {
    findings: Readonly<Record<K, Meaning>>;
    run(context: Context<K>): Promise<void>;
  },
): Check {
  return check as Check;
}
