import { type Json, plain } from './build.js';
import { cameraSchemas } from './camera.js';
import { eventSchemas } from './event.js';
import { placeSchemas } from './place.js';
import { problemSchema } from './problem.js';
import { ruleSchemas } from './rule.js';
import { settingsSchemas } from './settings.js';

/** What the API speaks of, each by its `$id`. */
export const apiSchemas: readonly Json[] = [
  problemSchema,
  ...cameraSchemas,
  ...eventSchemas,
  ...placeSchemas,
  ...ruleSchemas,
  ...settingsSchemas,
].map(plain);
