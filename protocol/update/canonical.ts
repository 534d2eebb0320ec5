/**
 * JSON in the one form that signatures are made over (RFC 8785): no space, keys sorted by UTF-16 code units, numbers and
 * strings as JSON.stringify writes them. Everybody who has the document gets the same bytes.
 * @param value what JSON.parse gives
 * @throws TypeError for anything that is no JSON
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson((value as Record<string, unknown>)[key])}`);
    return `{${members.join(',')}}`;
  }
  const plain = value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value);
  if (!plain) throw new TypeError(`${String(value)} is no JSON`);
  return JSON.stringify(value);
}
