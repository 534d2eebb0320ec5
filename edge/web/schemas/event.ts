import { amount, cameraName, count, flag, id, type Json, label, list, object, placeName, text, time } from './build.js';

export const eventSchemas: Json[] = [
  {
    $id: 'Event',
    description: 'a class was to be seen at a camera, from `started` to `ended`',
    ...object(
      {
        id,
        camera: cameraName,
        label,
        zones: list(placeName, { description: 'zones that it was in' }),
        started: time(),
        ended: time('absent while it goes on'),
        score: amount('best score, 0 to 1'),
        best_at: time('when the best score was'),
        box: list(amount(), {
          minItems: 4,
          maxItems: 4,
          description: 'of the best score: x, y, width, height as shares of the picture',
        }),
        max_count: count('most of them in one frame'),
        frames: count('frames in which it was seen'),
        snapshot: flag('whether /events/{id}/snapshot has a picture'),
      },
      ['ended'],
    ),
  },
  {
    $id: 'EventPage',
    ...object({ events: list({ $ref: 'Event#' }), next: text(200, 'pass it as `cursor`; absent on the last page') }, [
      'next',
    ]),
  },
];
