import type { Trip } from '../../agent/pipeline/trip.js';
import { SeenFrames } from '../../edge/store/seen.js';
import type { Broker } from '../../platform/mqtt.js';
import { type FrameResult, parseResult } from '../../protocol/result.js';

/** A reader of a device's results, as the edge reads them. */
export class Reader {
  readonly heard: FrameResult[] = [];
  twice = 0;
  readonly #seen = new SeenFrames();

  listen(broker: Broker): void {
    const onResult = (_: string, payload: Buffer): void => {
      const message = parseResult(payload) as FrameResult;
      if (this.#seen.add(message.session, message.frame)) this.heard.push(message);
      else this.twice++;
    };
    broker.subscribe('deepcod/yard/result', onResult, 1);
  }

  get frames(): number[] {
    return this.heard.map(({ frame }) => frame);
  }
}

/** Numbers of the frames that ended so, in rising order. */
export const frames = (trips: Trip[], ...outcomes: string[]): number[] =>
  trips
    .filter(({ outcome }) => outcomes.includes(outcome ?? ''))
    .map(({ frame }) => frame)
    .sort((a, b) => a - b);
export const isRising = (numbers: number[]): boolean => numbers.every((n, i) => i === 0 || n > numbers[i - 1]);
