import { isIP } from 'node:net';
import { defineCheck } from '../check.js';

export const dnsCheck = defineCheck({
  name: 'dns',
  title: 'broker: name',
  group: 'network',
  timeoutMs: 5000,
  needs: ['broker'],
  gives: ['addresses'],
  findings: {
    dns_ok: { status: 'pass', means: 'The broker’s host name has an address.' },
    dns_unknown: {
      status: 'failure',
      symptom: 'silent',
      means: 'There is no host of this name, or not in this network.',
      todo: 'Check broker.url. `getent hosts {host}`; with a name of the site itself, is the site’s DNS server used? `resolvectl status`. An address works without DNS, but certificates are made for names.',
    },
    dns_no_answer: {
      status: 'failure',
      symptom: 'silent',
      means: 'No DNS server answers: usually there is no network at all.',
      todo: '`ip -brief address; ip route; resolvectl status`. Is the cable in, the Wi-Fi joined (`nmcli device`)?',
    },
  },
  async run({ env, known, tell }) {
    const { host } = known.broker as NonNullable<typeof known.broker>;
    if (isIP(host)) {
      known.addresses = [host];
      return tell('dns_ok', `${host} is an address`);
    }
    try {
      known.addresses = await env.lookup(host);
      tell('dns_ok', `${host} is ${known.addresses.join(', ')}`, { host });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      tell(code === 'EAI_AGAIN' ? 'dns_no_answer' : 'dns_unknown', `${host}: ${code ?? (error as Error).message}`, {
        host,
        code,
      });
    }
  },
});
