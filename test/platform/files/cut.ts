/** Loaded before a program (`--import`): the process dies in the place of its DEEPCOD_CUT-th change of a file. */
import { cutFiles } from './cutting.js';

await cutFiles(Number(process.env.DEEPCOD_CUT), () => process.kill(process.pid, 'SIGKILL') as never);
