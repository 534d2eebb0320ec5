import { type CodeShape, countSymbols } from '../../shape.js';

/** How much a model may look at: what each symbol's coding costs in time, and the tables in bytes. */
export interface Effort {
  /** Planes that an activity looks at. */
  sources: number;
  /** First channels that may be predicted and looked at by predictions. */
  predicted: number;
  /** Share of a channel's power that a predictor must explain. */
  minGain: number;
}

/** Frames with more symbols than this are coded with less effort for each. */
const LARGE = 1 << 17;

/**
 * A large frame (52x52x96) must be coded in under 3 ms, and has few channels that prediction does not serve well; in a
 * small one (26x26x128) there is time for channels that each tell a little: 2% of its bytes.
 */
export function effortFor(shape: CodeShape): Effort {
  return countSymbols(shape) > LARGE
    ? { sources: 4, predicted: 20, minGain: 0.08 }
    : { sources: 6, predicted: 40, minGain: 0.02 };
}
