/** Our schemas as plain JSON Schema (draft 7), with everything that has a title in a place of its own. */
import type { Type } from 'typebox';

export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** Named schemas by key; filled while schemas are made plain. */
export type SchemaShelf = Map<string, JsonSchema>;

const SCHEMAS_PATH = '#/components/schemas/';

export function shelfKey(title: string): string {
  return title.replaceAll(' ', '-');
}

/** Puts a named schema on the shelf as it is, before others refer to it. */
export function shelve(title: string, schema: Type.TSchema, shelf: SchemaShelf): void {
  shelf.set(shelfKey(title), plainParts(schema as JsonSchema, shelf));
}

/** A named schema becomes a reference; one that says something else of itself here says that beside it. */
export function plainSchema(schema: Type.TSchema, shelf: SchemaShelf): JsonSchema {
  return plain(schema as JsonSchema, shelf);
}

function plain(schema: JsonSchema, shelf: SchemaShelf): JsonSchema {
  const { title, description } = schema;
  if (typeof title !== 'string') return plainParts(schema, shelf);
  const key = shelfKey(title);
  if (!shelf.has(key)) shelf.set(key, plainParts(schema, shelf));
  const reference = { $ref: `${SCHEMAS_PATH}${key}` };
  if (description === undefined || shelf.get(key)?.description === description) return reference;
  // Draft 7 does not look at what stands beside a $ref.
  return { allOf: [reference], description };
}

function plainParts(schema: JsonSchema, shelf: SchemaShelf): JsonSchema {
  const plained: { [keyword: string]: unknown } = {};
  for (const [keyword, value] of Object.entries(schema)) {
    plained[keyword] = plainKeyword(keyword, value, shelf);
  }
  return plained;
}

function plainKeyword(keyword: string, value: unknown, shelf: SchemaShelf): unknown {
  switch (keyword) {
    case 'properties':
    case 'patternProperties':
      return Object.fromEntries(
        Object.entries(value as JsonSchema).map(([name, schema]) => [
          name,
          plain(schema as JsonSchema, shelf),
        ]),
      );
    case 'items':
      return plain(value as JsonSchema, shelf);
    case 'anyOf':
    case 'allOf':
      return (value as readonly JsonSchema[]).map((part) => plain(part, shelf));
    default:
      return value;
  }
}
