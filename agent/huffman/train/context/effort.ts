import { type CodeShape, countSymbols } from '../../shape.js';

/** How much a model may look at: what each symbol's coding costs in time, and the tables in bytes. */
export interface Effort {
  /** Planes that an activity looks at. */
  sources: number;
  /** First channels that may be predicted and looked at by predictions. */
  predicted: number;
  /** Share of a channel's power that a predictor must explain. */
  minGain: number;
  /** Most terms of a predictor. */
  terms: number;
}

/** Frames with more symbols than this are coded with less effort for each. */
const LARGE = 1 << 17;

/**
 * A large frame (52x52x96) must be coded in under 3 ms, and has few channels that prediction does not serve well; a
 * fourth source and two more terms gave 0.2% of its bytes for 3% of its time. In a small one (26x26x128) there is time
 * for channels that each tell a little: 2% of its bytes.
 */
export function effortFor(shape: CodeShape): Effort {
  return countSymbols(shape) > LARGE
    ? { sources: 3, predicted: 20, minGain: 0.08, terms: 6 }
    : { sources: 6, predicted: 40, minGain: 0.02, terms: 8 };
}
