/** Whatever says how long transfers take. */
export interface LinkEstimator {
  /** What a transfer is expected to take, ms. @param bytes both ways together */
  estimate(bytes: number): number;
  /**
   * Standard deviation of the difference that is expected between two transfers, ms: what is not known of the delay is
   * the same for both. @param other bytes of the other; undefined: nothing is sent
   */
  deviation(bytes: number, other?: number): number;
}
