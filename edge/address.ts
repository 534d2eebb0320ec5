const names = new Set(['localhost', '::1', '[::1]']);

/** Whether only this machine can reach what listens there: localhost, ::1, 127.0.0.0/8. */
export function isLoopback(host: string): boolean {
  return names.has(host) || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(host);
}

/** The host to write into an address that clients on this machine use; every interface is reached by the local one. */
export function clientHost(host: string): string {
  if (host === '0.0.0.0' || host === '') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** IPv4 as it is, also where it comes as IPv6; of IPv6 the first 64 bits, as everybody there has 2^64 addresses. */
export function network(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d)/i, '').replace(/%.*$/, '');
  if (!plain.includes(':')) return plain;
  const [front = '', back = ''] = plain.split('::');
  const head = front === '' ? [] : front.split(':');
  const tail = back === '' ? [] : back.split(':');
  const groups = plain.includes('::')
    ? [...head, ...Array(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail]
    : head;
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')}::/64`;
}
