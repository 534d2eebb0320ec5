import { type Json, object, text } from './build.js';

/** RFC 9457. */
export const problemSchema: Json = {
  $id: 'Problem',
  ...object(
    {
      type: text(200),
      title: text(100),
      status: { type: 'integer', minimum: 400, maximum: 599 },
      code: text(64, 'stable, for programs'),
      detail: text(2000, 'what is wrong, for people'),
      hint: text(2000, 'what to do about it'),
    },
    ['hint'],
  ),
};
