import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/** A password's hash, with all that is needed to check it. Bytes in base64. */
export interface PasswordHash {
  /** Cost, block size, parallelism of scrypt. */
  n: number;
  r: number;
  p: number;
  salt: string;
  hash: string;
}

/** As OWASP advises for 32 MB: a Pi has that twice over, and takes about half a second. */
const COST = { n: 2 ** 15, r: 8, p: 3 };
const HASH_BYTES = 32;
/** Checked at the same time, and waiting for it: a flood of logins must not take the memory or the processor. */
const AT_ONCE = 2;
const WAITING = 16;

export const SHORTEST = 12;
export const LONGEST = 256;

/** @returns what is wrong with a password, for the one who chose it, or undefined */
export function weakness(password: string, name: string): string | undefined {
  const length = [...password].length;
  if (length < SHORTEST) return `too short: ${SHORTEST} characters at least`;
  if (length > LONGEST) return `too long: ${LONGEST} characters at most`;
  if (new Set(password.toLowerCase()).size < 6) return 'too uniform: six different characters at least';
  const letters = password.toLowerCase().replace(/[^a-z]/g, '');
  if (name.length > 2 && letters.includes(name.toLowerCase().replace(/[^a-z]/g, '') || '\0'))
    return 'it holds the name';
  const plain = password.toLowerCase().replace(/[\s_.-]/g, '');
  if (COMMON.some((word) => plain.replaceAll(word, '').length <= 4)) return 'it is one of those that are tried first';
  return undefined;
}

/** What is tried first, also twice, or with a few characters around it. */
const COMMON = [
  ...['password', 'passw0rd', 'p@ssword', 'p@ssw0rd', 'letmein', 'welcome', 'changeme', 'administrator', 'admin'],
  ...['operator', 'viewer', 'deepcod', 'raspberry', 'raspberrypi', 'qwerty', 'qwertyuiop', 'asdfghjkl', 'iloveyou'],
  ...['abcdefghijkl', '1234567890', '0123456789', '123456', 'secret', 'default', 'camera', 'monkey', 'dragon'],
];

/** @param cost of scrypt; the default takes half a second on a Pi */
export async function hashPassword(password: string, cost = COST): Promise<PasswordHash> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, cost);
  return { ...cost, salt: salt.toString('base64'), hash: hash.toString('base64') };
}

const NOBODY: PasswordHash = {
  ...COST,
  salt: randomBytes(16).toString('base64'),
  hash: randomBytes(HASH_BYTES).toString('base64'),
};

let running = 0;
let waiting: (() => void)[] = [];

/**
 * @param known undefined for somebody who has no account: takes as long as for `usual`, and is never right
 * @returns undefined when too many are being checked already
 */
export async function checkPassword(
  password: string,
  known: PasswordHash | undefined,
  usual = NOBODY,
): Promise<boolean | undefined> {
  if (running >= AT_ONCE) {
    if (waiting.length >= WAITING) return undefined;
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
  running++;
  try {
    const { salt, hash, ...cost } = known ?? usual;
    const wanted = Buffer.from(hash, 'base64');
    const given = await derive(password, Buffer.from(salt, 'base64'), cost, wanted.length);
    return timingSafeEqual(given, wanted) && known !== undefined;
  } finally {
    running--;
    const [next, ...rest] = waiting;
    waiting = rest;
    next?.();
  }
}

function derive(
  password: string,
  salt: Buffer,
  { n, r, p }: Pick<PasswordHash, 'n' | 'r' | 'p'>,
  bytes = HASH_BYTES,
): Promise<Buffer> {
  const options: ScryptOptions = { N: n, r, p, maxmem: 128 * n * r * 2 };
  return new Promise((resolve, reject) => {
    // Keyboards differ in how they write an accent.
    const text = password.normalize('NFKC');
    scrypt(text, salt, bytes, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
