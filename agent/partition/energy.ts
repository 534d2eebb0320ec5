import { readFileSync } from 'node:fs';

/** What a device draws, watts: doing nothing, computing on all cores, sending by radio. */
export interface PowerModel {
  idle_w: number;
  busy_w: number;
  send_w: number;
}

/** Published figures of boards, whole boards at the supply. What sending adds (0.6 W) is an estimate from the Pi 4's Wi-Fi. */
export const BOARD_POWER = {
  'pi-zero-2w': {
    model: 'Raspberry Pi Zero 2',
    power: { idle_w: 0.6, busy_w: 2.5, send_w: 1.2 },
    source:
      'idle: cnx-software.com/2021/12/09/raspberry-pi-zero-2-w-power-consumption (120 mA); ' +
      'busy: jeffgeerling.com/blog/2021/look-inside-raspberry-pi-zero-2-w-and-rp3a0-au (500 mA)',
  },
  'pi-4': {
    model: 'Raspberry Pi 4',
    power: { idle_w: 1.6, busy_w: 5.0, send_w: 2.2 },
    source: 'github.com/geerlingguy/sbc-reviews/issues/4',
  },
  'pi-5': {
    model: 'Raspberry Pi 5',
    power: { idle_w: 2.4, busy_w: 8.5, send_w: 3.0 },
    source: 'the Compute Module 5, which has the same chip: github.com/geerlingguy/sbc-reviews/issues/58',
  },
} as const;

/** Where Linux says which board it runs on. */
const MODEL_FILE = '/proc/device-tree/model';

/** The published figures of this board, if it is one of those that are known. @param file which holds the model's name */
export function boardPower(file = MODEL_FILE): PowerModel | undefined {
  try {
    const model = readFileSync(file, 'utf8');
    return Object.values(BOARD_POWER).find((board) => model.startsWith(board.model))?.power;
  } catch {
    return undefined;
  }
}

/**
 * Energy of one frame above doing nothing, mJ: computing, and sending while the link is busy with it. Waiting for the
 * edge costs what idling costs, and that is drawn anyway.
 * @param deviceMs computing on the device @param linkMs on the link, both ways
 */
export function energyOf({ idle_w, busy_w, send_w }: PowerModel, deviceMs: number, linkMs: number): number {
  return Math.max(0, (busy_w - idle_w) * deviceMs + (send_w - idle_w) * linkMs);
}
