import { openNamespaces } from './namespaces.js';
import { loopback, type Net } from './net.js';

/** Namespaces, or loopback with a line that says why. */
export async function openNet(wantLoopback: boolean): Promise<Net> {
  const simulate = (why: string): Net => {
    process.stderr.write(`${why}: links are simulated by a relay on loopback, and every row says so\n`);
    return loopback;
  };
  if (wantLoopback) return simulate('--loopback');
  if (process.platform !== 'linux') return simulate('network namespaces need Linux');
  if (process.getuid?.() !== 0) return simulate('network namespaces need root');
  try {
    return await openNamespaces();
  } catch (error) {
    return simulate(`network namespaces cannot be used here (${(error as Error).message.trim().split('\n').pop()})`);
  }
}
