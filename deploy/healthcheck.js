// Whether the process beside this one in its container still answers: deploy/healthcheck.js [URL]
// Whose certificate it shows is no question here: nobody else listens at a loopback address of the container.
import { get as http } from 'node:http';
import { get as https } from 'node:https';

const url = process.argv[2] ?? 'http://127.0.0.1:8080/healthz';
const get = url.startsWith('https:') ? https : http;
get(url, { rejectUnauthorized: false, timeout: 9000 }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))
  .on('timeout', () => process.exit(1))
  .on('error', () => process.exit(1));
