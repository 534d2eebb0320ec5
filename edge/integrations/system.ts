import type { SystemHealth } from '../../protocol/health.js';
import type { LiveDevice } from '../store/live.js';

/** What the machine under a camera says of itself; older devices say nothing. */
export const systemOf = ({ health }: LiveDevice): SystemHealth | undefined => health?.system;
