import { closeSync, mkdirSync, openSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fileHolder, lockHolder } from '../../../agent/camera/live/holder.js';
import { absent } from '../../../agent/camera/rpicam/trouble.js';

t.test('who holds a lock on a device', async (t) => {
  const folder = t.testdir({ media0: '', media1: '', proc: { 1234: { comm: 'motion\n' } } });
  const media = [join(folder, 'media0'), join(folder, 'media1'), join(folder, 'media2')];
  const proc = join(folder, 'proc');
  t.equal(lockHolder(media, proc), undefined);
  const { ino } = statSync(media[1]);
  const line = (pid: number, inode: number) => `${pid}: POSIX  ADVISORY  WRITE ${pid} 00:05:${inode} 0 EOF\n`;
  writeFileSync(
    join(proc, 'locks'),
    `1: FLOCK  ADVISORY  WRITE 7 00:05:${ino} 0 EOF\n${line(8, ino + 999)}${line(1234, ino)}`,
  );
  t.equal(lockHolder(media, proc), 'motion (process 1234)');
  writeFileSync(join(proc, 'locks'), line(4321, ino));
  t.equal(lockHolder(media, proc), 'process 4321', 'one that just ended');
  writeFileSync(join(proc, 'locks'), line(process.pid, ino));
  t.equal(lockHolder(media, proc), undefined, 'not this process');
});

t.test('who has a device open', async (t) => {
  const folder = t.testdir({ proc: { 1: {}, 77: { fd: {}, comm: 'cheese\n' }, self: {} } });
  const proc = join(folder, 'proc');
  symlinkSync('/dev/video0', join(proc, '77/fd/5'));
  t.equal(fileHolder('/dev/video0', proc), 'cheese (process 77)');
  t.equal(fileHolder('/dev/video1', proc), undefined);
  t.equal(fileHolder('/dev/video0', join(folder, 'none')), undefined);
  const file = join(folder, 'open');
  const fd = openSync(file, 'w');
  t.equal(fileHolder(file), undefined, 'this process does not count');
  closeSync(fd);
});

t.test('no camera, or none that may be seen', async (t) => {
  const folder = t.testdir({});
  t.match(absent(folder), { state: 'gone', message: /^no camera is found at a CSI port/ });
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'media0'), '', { mode: 0 });
  const isRoot = process.getuid?.() === 0;
  if (isRoot) t.comment('root may open everything: the message about the group video is not tested here');
  else t.match(absent(folder), { state: 'failed', message: /may not open .*media0: add its user to the group video/ });
});
