import { amount, cameraName, id, type Json, list, object, placeName, time, word } from './build.js';

const fields = {
  camera: cameraName,
  name: placeName,
  kind: word(['zone', 'mask'], '`mask`: what lies in it is not seen'),
  anchor: word(
    ['foot', 'centre'],
    'the point of a box that must lie inside: the middle of its lower edge, or its centre',
  ),
  points: list(list(amount(), { minItems: 2, maxItems: 2 }), {
    minItems: 3,
    maxItems: 32,
    description: 'a simple polygon: [x, y] as shares of the picture, 0 to 1',
  }),
};

/** Zones and masks. */
export const placeSchemas: Json[] = [
  { $id: 'PlaceDraft', description: 'a zone or mask to be', ...object(fields, ['anchor']) },
  { $id: 'Place', description: 'a zone or mask', ...object({ id, ...fields, updated: time() }) },
];
