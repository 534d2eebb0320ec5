/** Where a broker will run. */
export interface Place {
  /** Absolute, on the broker's machine. */
  folder: string;
  port: number;
}
