/** Between the history and its threads. Answers come in the order of the questions. */
export interface ThreadSetup {
  file: string;
  readonly: boolean;
  /** The file never grows beyond this, bytes; 0: no limit. */
  maxBytes: number;
}

export interface Statement {
  sql: string;
  parameters: readonly unknown[];
}

export type ToThread =
  | ({ op: 'query' } & Statement)
  | { op: 'write'; statements: readonly Statement[] }
  | { op: 'compact'; pages: number }
  | { op: 'limit'; maxBytes: number }
  | { op: 'close' };

export type FromThread = { rows: unknown[]; changes: number } | { error: { message: string; code: string } };
