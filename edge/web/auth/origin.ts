import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a request that changes something comes from our own page. Browsers say so themselves: in `Sec-Fetch-Site` where the
 * connection is secure, else in `Origin`, and no page can change either. Programs that are no browsers name our origin.
 * @param own scheme, host and port that the request came to, such as `https://edge.example:8443`
 */
export function isOwnOrigin(headers: IncomingHttpHeaders, own: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  return headers.origin !== undefined && headers.origin.toLowerCase() === own.toLowerCase();
}
