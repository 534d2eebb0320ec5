import { defineCheck } from '../check.js';
import { limited } from '../within.js';

const TCP_MS = 4000;

export const tcpCheck = defineCheck({
  name: 'tcp',
  title: 'broker: port',
  group: 'network',
  timeoutMs: 6000,
  needs: ['broker', 'addresses'],
  gives: ['tcpMs'],
  findings: {
    tcp_ok: { status: 'pass', means: 'The broker’s port takes connections.' },
    tcp_refused: {
      status: 'failure',
      symptom: 'silent',
      means: 'The host is there, but nothing listens on this port: the broker is not running, or the port is another.',
      todo: 'At the edge: `systemctl status deepcod-edge mosquitto`, `ss -ltn`. Check the port in broker.url (1883 without TLS, 8883 with).',
    },
    tcp_no_answer: {
      status: 'failure',
      symptom: 'silent',
      means: 'No answer from the port: a firewall drops it, the host is off, or the address is wrong.',
      todo: '`ping -c 3 {host}`: if that answers, ask for TCP port {port} to be opened from this device to it; else look whether the host is on and the address right.',
    },
    tcp_no_route: {
      status: 'failure',
      symptom: 'silent',
      means: 'This device has no way to the broker’s network.',
      todo: '`ip -brief address; ip route`: an address and a default route must be there. `nmcli device`, cable, Wi-Fi.',
    },
  },
  async run({ env, known, tell, signal }) {
    const { host, port } = known.broker as NonNullable<typeof known.broker>;
    const values = { host, port };
    const start = performance.now();
    const limit = limited(TCP_MS, signal);
    try {
      const socket = await env.connect(host, port, limit.signal);
      socket.destroy();
      const ms = performance.now() - start;
      known.tcpMs = ms;
      tell('tcp_ok', `${host} port ${port} after ${ms.toFixed(1)} ms`, { ...values, ms: Math.round(ms * 10) / 10 });
    } catch (error) {
      const { code, errors } = error as NodeJS.ErrnoException & { errors?: NodeJS.ErrnoException[] };
      const why = code ?? errors?.[0]?.code;
      if (why === 'ECONNREFUSED') tell('tcp_refused', `${host} port ${port}: connection refused`, values);
      else if (why === 'ENETUNREACH' || why === 'EHOSTUNREACH') tell('tcp_no_route', `${host}: ${why}`, values);
      else if (why === 'ABORT_ERR' || why === 'ETIMEDOUT')
        tell('tcp_no_answer', `${host} port ${port}: no answer within ${TCP_MS / 1000} s`, values);
      else throw error;
    } finally {
      limit.end();
    }
  },
});
