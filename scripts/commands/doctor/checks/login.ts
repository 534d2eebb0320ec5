import { defineCheck } from '../check.js';
import { DoctorClient } from '../client.js';

/** CONNACK codes of MQTT 3.1.1, and of 5. */
const BAD_PASSWORD = [4, 134];
const NOT_AUTHORISED = [5, 135];
const NAME_REFUSED = [2, 133];

export const loginCheck = defineCheck({
  name: 'login',
  title: 'broker: login',
  group: 'network',
  timeoutMs: 8000,
  needs: ['config', 'broker', 'secure'],
  gives: ['client'],
  findings: {
    login_ok: { status: 'pass', means: 'The broker takes this device’s name and password or certificate.' },
    login_refused: {
      status: 'failure',
      symptom: 'silent',
      means: 'The broker refuses this device’s name and password, or knows no such device.',
      todo: 'Check broker.username and the file broker.password_file; at the edge, is the device’s account there? Set the password anew on both sides.',
    },
    login_name_refused: {
      status: 'failure',
      symptom: 'silent',
      means: 'The broker refuses the client’s name: it lets in only names that it expects.',
      todo: 'At the broker, see whether client names are limited (clientid_prefixes in mosquitto.conf).',
    },
    login_certificate_missing: {
      status: 'failure',
      symptom: 'silent',
      means: 'The broker closes the connection for want of a certificate from this device.',
      todo: 'Set broker.cert_file and broker.key_file to the device’s files (`deepcod provision NAME` makes them).',
    },
    login_no_answer: {
      status: 'failure',
      symptom: 'silent',
      means:
        'The port takes connections and closes them, or says nothing: it is no MQTT broker, wants TLS, or is overloaded.',
      todo: 'Is it the right port? With TLS: mqtts://host:8883. At the edge: `journalctl -u deepcod-edge -u mosquitto -n 50`.',
    },
  },
  async run({ known, tell, signal, atEnd }) {
    const { config, broker } = known as Required<typeof known>;
    const outcome = await DoctorClient.open(config.broker, signal);
    if (outcome instanceof DoctorClient) {
      atEnd(() => outcome.close());
      known.client = outcome;
      const as = config.broker.username ?? (config.broker.cert_file ? 'by certificate' : 'without a name');
      return tell('login_ok', `${as}, MQTT ${outcome.version === 5 ? '5' : '3.1.1'}`, { version: outcome.version });
    }
    const { connack, error } = outcome;
    const values = { host: broker.host, port: broker.port, connack };
    const user = config.broker.username ?? 'no user name';
    if (connack !== undefined && [...BAD_PASSWORD, ...NOT_AUTHORISED].includes(connack)) {
      const what = BAD_PASSWORD.includes(connack) ? 'bad user name or password' : 'not authorised';
      return tell('login_refused', `${user}: ${what}`, values);
    }
    if (connack !== undefined && NAME_REFUSED.includes(connack))
      return tell('login_name_refused', 'client name refused', values);
    if (/certificate required/i.test(error?.message ?? ''))
      return tell('login_certificate_missing', 'certificate required', values);
    const what =
      connack === undefined ? (error?.message.split('\n')[0] ?? 'connection closed') : `refused with code ${connack}`;
    tell('login_no_answer', what, values);
  },
});
