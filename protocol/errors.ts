/**
 * Something that crossed a wire or a disk breaks the protocol. `code` is stable and is what is counted and
 * compared; `message` names the place, the value and what is allowed; `problems` lists them one by one where there
 * are several (a manifest with three mistakes).
 */
export class ProtocolError extends Error {
  override readonly name: string = 'ProtocolError';
  constructor(
    readonly code: ProtocolErrorCode,
    message: string,
    readonly problems: readonly string[] = [],
  ) {
    super(message);
  }
}

/** Every code that protocol/ throws; docs/protocol.md says when. */
export type ProtocolErrorCode =
  | 'frame_short'
  | 'frame_too_large'
  | 'frame_magic'
  | 'frame_length'
  | 'frame_crc'
  | 'frame_version'
  | 'frame_coding'
  | 'frame_size'
  | 'frame_partition'
  | 'frame_reference'
  | 'frame_empty'
  | 'frame_field'
  | 'topic_invalid'
  | 'message_too_large'
  | 'message_not_json'
  | 'message_invalid'
  | 'manifest_invalid'
  | 'release_invalid'
  | 'task_outputs';
