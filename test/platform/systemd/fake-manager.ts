import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Node.js has no datagram sockets of this family: a line of Python is the service manager. */
const PROGRAM = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', '\\0', 1) if sys.argv[1].startswith('@') else sys.argv[1])
print('ready', flush=True)
while True: print(s.recv(65536).decode().replace('\\n', '|'), flush=True)
`;

export interface FakeManager {
  /** What it was told, in order. */
  readonly said: readonly string[];
  readonly child: ChildProcess;
  stop(): void;
}

/** Something that hears sd_notify at an address. */
export async function fakeManager(address: string): Promise<FakeManager> {
  const child = spawn('python3', ['-c', PROGRAM, address], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the stand-in ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'ready') resolve();
      else said.push(line);
    });
  });
  return { said, child, stop: () => child.kill('SIGKILL') };
}
