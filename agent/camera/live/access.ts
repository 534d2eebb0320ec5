import { accessSync, constants, existsSync } from 'node:fs';

/** What a person does so that a process may open cameras; this one has to be started anew for it. */
export const JOIN_VIDEO = 'add its user to the group video (sudo usermod -aG video USER) and start it again';

/** Whether a device is there and this process may not open it. */
export function isForbidden(device: string): boolean {
  if (!existsSync(device)) return false;
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    return false;
  } catch {
    return true;
  }
}
