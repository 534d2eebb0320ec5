import { DeepcodError } from '../../../platform/errors.js';

/** Where a page ended: what comes after lies further in the past. */
export interface Position {
  started: number;
  id: string;
}

export function encodeCursor({ started, id }: Position): string {
  return Buffer.from(`${started}:${id}`).toString('base64url');
}

/** @throws DeepcodError `cursor_invalid` */
export function decodeCursor(cursor: string): Position {
  const [, started, id] = /^(\d{1,15}):([A-Za-z0-9_-]{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (id === undefined) throw new DeepcodError('cursor_invalid', 'cursor: not one that this API gave', 'Leave it out.');
  return { started: Number(started), id };
}
