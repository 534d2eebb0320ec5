/** JSON Schema pieces that the API's schemas are made of. */
export type Json = Readonly<Record<string, unknown>>;

/** An object with these keys and no others; all of them required but `optional`. */
export function object(properties: Record<string, Json>, optional: readonly string[] = [], more: Json = {}): Json {
  const required = Object.keys(properties).filter((key) => !optional.includes(key));
  return { type: 'object', additionalProperties: false, required, properties, ...more };
}

export const list = (items: Json, more: Json = {}): Json => ({ type: 'array', items, ...more });
export const ref = (id: string): Json => ({ $ref: `${id}#` });
export const text = (maxLength: number, description?: string): Json => ({ type: 'string', maxLength, description });
export const word = (values: readonly string[], description?: string): Json => ({
  type: 'string',
  enum: [...values],
  description,
});
export const count = (description?: string): Json => ({ type: 'integer', minimum: 0, description });
export const amount = (description?: string): Json => ({ type: 'number', description });
export const flag = (description?: string): Json => ({ type: 'boolean', description });
/** Milliseconds since 1970, as everywhere in this product. */
export const time = (description = 'milliseconds since 1970'): Json => ({ type: 'integer', minimum: 0, description });
export const map = (values: Json, description?: string): Json => ({
  type: 'object',
  additionalProperties: values,
  description,
});

export const cameraName: Json = { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$', description: 'name of a device' };
export const id: Json = { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' };
export const label: Json = { type: 'string', minLength: 1, maxLength: 64, description: 'a class name of the bundle' };
export const placeName: Json = {
  type: 'string',
  pattern: "^[\\p{L}\\p{N}][\\p{L}\\p{N} _.'-]{0,63}$",
  description: "letters, digits, spaces and _ . ' -; 1 to 64 characters",
};
export const cursor = text(200, 'the `next` of the page before');

/** The same without keys that are undefined, which some readers of schemas stumble over. */
export const plain = <T extends object>(schema: T): T => JSON.parse(JSON.stringify(schema)) as T;
