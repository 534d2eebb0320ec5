/** A process that writes events as fast as it can, and says which are written; for crash.test.ts to kill. */
import { History } from '../../edge/store/history/history.js';
import { silentLog } from '../../platform/log.js';
import { event, retention } from './parts.js';

const history = await History.open({ folder: process.argv[2], retention }, silentLog);
for (let i = 0; ; i++) {
  history.saveEvent(event({ id: `w${i}`, zones: ['A', 'B'] }));
  history.savePicture(`w${i}`, Buffer.alloc(2000, i));
  if (i % 50 === 49) {
    await history.flush();
    process.stdout.write(`${i}\n`);
  }
}
