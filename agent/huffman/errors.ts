/**
 * What went wrong, for programs:
 * - `shape`            height, width, channels or levels are not usable numbers
 * - `tables`           the entropy tables (untrusted JSON) are malformed or not a complete prefix code
 * - `rate`             there is no such rate in the tables
 * - `symbols`          the symbol array has the wrong length, or holds a symbol that is not below `levels`
 * - `space`            the output buffer is too small for this frame
 * - `truncated`        the payload ends before the last symbol
 * - `trailing`         the payload goes on after the last symbol
 * - `padding`          the unused bits of the last byte are not zero
 * - `corrupt`          the bits decode to something that no encoder writes
 * - `unsupported`      these tables do not hold what the call needs (inter-frame tables, for instance)
 */
export type HuffmanErrorCode =
  | 'shape'
  | 'tables'
  | 'rate'
  | 'symbols'
  | 'space'
  | 'truncated'
  | 'trailing'
  | 'padding'
  | 'corrupt'
  | 'unsupported';

/** The only error that the entropy coder throws, whatever it is given. */
export class HuffmanError extends Error {
  override readonly name = 'HuffmanError';
  constructor(
    readonly code: HuffmanErrorCode,
    message: string,
  ) {
    super(message);
  }
}
