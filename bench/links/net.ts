/** Where a link's two sides run and what shapes it. */
export interface Net {
  kind: 'namespaces' | 'loopback';
  /** Where the edge's relay listens, as the device sees it. */
  relayHost: string;
  /** The command that runs a program on one side. */
  command(side: 'device' | 'edge', argv: readonly string[]): string[];
  /** @returns the Mbit/s that are left for the relay to keep, or null where the kernel keeps them */
  shape(mbps: number): Promise<number | null>;
  close(): Promise<void>;
}

/** Both sides on this machine's loopback; the relay alone keeps rate and delay. Simulated. */
export const loopback: Net = {
  kind: 'loopback',
  relayHost: '127.0.0.1',
  command: (_, argv) => [...argv],
  shape: async (mbps) => mbps,
  close: async () => {},
};
