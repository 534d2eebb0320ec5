import { randomInt } from 'node:crypto';
import type { Broker } from '../../platform/mqtt.js';
import { ChunkAnswer, type ChunkRequest, parseChunk } from '../../protocol/update.js';
import { NotNow } from './errors.js';

/** What is asked of an edge. */
export type Piece = Pick<ChunkRequest, 'edge' | 'file' | 'of' | 'at' | 'bytes'>;

/** Gets pieces of files from edges. */
export interface PieceSource {
  /** @returns as many bytes as were asked for, unchecked @throws NotNow: nothing came, or the edge has none */
  ask(piece: Piece, signal: AbortSignal): Promise<Buffer>;
}

/** A piece that did not come by then will not come, ms: 16 KiB take 4 s at 32 kbit/s. */
const ANSWER_MS = 10_000;

/** Pieces over MQTT: one question, one answer, on the device's own topics. */
export class ChunkLink implements PieceSource {
  readonly #open = new Map<number, (message: { answer: ChunkAnswer; data: Buffer } | NotNow) => void>();
  #next = randomInt(2 ** 31);

  constructor(
    readonly broker: Broker,
    readonly topics: { request: string; chunk: string },
  ) {
    broker.subscribe(topics.chunk, (_, payload) => {
      const chunk = parseChunk(payload);
      if (chunk) this.#open.get(chunk.id)?.(chunk);
    });
    broker.onDown(() => {
      for (const settle of [...this.#open.values()]) settle(new NotNow('broker_gone', 'the broker went away'));
    });
  }

  async ask(piece: Piece, signal: AbortSignal): Promise<Buffer> {
    signal.throwIfAborted();
    const id = this.#next++ >>> 0;
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    const came = new Promise<{ answer: ChunkAnswer; data: Buffer }>((resolve, reject) => {
      this.#open.set(id, (message) => (message instanceof NotNow ? reject(message) : resolve(message)));
      timer = setTimeout(() => reject(new NotNow('edge_gone', `edge ${piece.edge} does not answer`)), ANSWER_MS);
      onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
    });
    came.catch(() => {});
    try {
      const request: ChunkRequest = { v: 1, id, ...piece };
      if (!this.broker.publish(this.topics.request, JSON.stringify(request), { expirySeconds: ANSWER_MS / 1000 })) {
        throw new NotNow('broker_gone', 'the broker is not there');
      }
      const { answer, data } = await came;
      if (answer === ChunkAnswer.busy) throw new NotNow('edge_busy', `edge ${piece.edge} is asked too much`);
      if (answer !== ChunkAnswer.data) throw new NotNow('edge_lacks', `edge ${piece.edge} does not have ${piece.file}`);
      return data;
    } finally {
      clearTimeout(timer);
      if (onAbort) signal.removeEventListener('abort', onAbort);
      this.#open.delete(id);
    }
  }
}
