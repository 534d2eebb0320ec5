/** Of up to three values the middle one; of two the lower. One hiccup among the last three then counts for nothing. */
export function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[(values.length - 1) >> 1];
}
