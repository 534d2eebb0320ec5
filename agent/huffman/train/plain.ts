import { codeLengths, smoothed } from '../lengths.js';
import { writePlainTables } from '../plain-tables.js';
import type { ChannelCounts } from './counts.js';

/** Tables of the plain form, one per rate and channel, from what the training frames hold. */
export function trainPlain(counts: ChannelCounts[]): object {
  return writePlainTables(counts.map((perChannel) => perChannel.map((perSymbol) => codeLengths(smoothed(perSymbol)))));
}
