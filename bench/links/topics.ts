/** Topics of the bench's own broker. Nobody reads the last: the broker drops it. */
export const FRAME_TOPIC = 'links/frame';
export const RESULT_TOPIC = 'links/result';
export const BACKGROUND_TOPIC = 'links/background';
