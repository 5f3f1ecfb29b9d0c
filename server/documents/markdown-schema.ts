/** Our schemas as text for a reader: the type of a value in words, and the fields of an object as rows of a table. */
import type { Type } from 'typebox';
import { NAMED_SCHEMAS } from './named-schemas.ts';

interface Keywords {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Keywords[];
  readonly properties?: { readonly [name: string]: Keywords };
  readonly required?: readonly string[];
  readonly items?: Keywords;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly patternProperties?: object;
}

/** What a named schema says of itself everywhere. */
const NOTES: ReadonlyMap<string, unknown> = new Map(
  NAMED_SCHEMAS.map(({ title, schema }) => [title, (schema as Keywords).description]),
);

/** One field of an object, at whatever depth: `range.end`, `changes[].entry`. */
export interface FieldRow {
  readonly path: string;
  readonly type: string;
  readonly note: string;
}

/** Rows for all fields. Fields of a named schema are left to where that is explained. */
export function fieldRows(schema: Type.TSchema): FieldRow[] {
  return rowsOf('', schema as Keywords);
}

/** A value in words: `a range`, `"a" or "b"`, `array of 1 to 512 frame`. */
export function typeText(schema: Type.TSchema): string {
  return textOf(schema as Keywords);
}

function rowsOf(prefix: string, schema: Keywords): FieldRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const optional = schema.required?.includes(name) ? '' : ', may be absent';
    const row = { path, type: `${textOf(field)}${optional}`, note: noteOf(field) };
    return [row, ...rowsBelow(path, field)];
  });
}

function rowsBelow(path: string, field: Keywords): FieldRow[] {
  if (field.title !== undefined) return [];
  if (field.type === 'object') return rowsOf(`${path}.`, field);
  const { items } = field;
  if (items === undefined || items.title !== undefined) return [];
  return rowsOf(`${path}[].`, items);
}

/** What is said of a field here; a named schema that says what it says everywhere is named only. */
function noteOf(field: Keywords): string {
  const { title, description = '' } = field;
  if (title !== undefined && (field.type === 'string' || NOTES.get(title) === description)) {
    return '';
  }
  return `${description.charAt(0).toUpperCase()}${description.slice(1)}`;
}

function textOf(schema: Keywords): string {
  if (schema.title !== undefined) return `*${schema.title}*`;
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(textOf).join(' or ');
  switch (schema.type) {
    case 'array':
      return `array of ${counted(schema)}${textOf(schema.items ?? {})}`;
    case 'integer':
      return `whole number${bounds(schema)}`;
    case 'object':
      return objectText(schema);
    case 'string':
      return schema.maxLength === undefined ? 'string' : `string of at most ${schema.maxLength}`;
    case 'null':
      return '`null`';
    case 'boolean':
      return '`true`, `false`';
    default:
      return schema.type ?? 'anything';
  }
}

function objectText(schema: Keywords): string {
  if (schema.patternProperties !== undefined) return 'object';
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0) return '`{}`';
  return `{${fields.map(([name, field]) => `${name}: ${textOf(field)}`).join(', ')}}`;
}

function counted({ minItems, maxItems }: Keywords): string {
  if (maxItems === undefined) return '';
  return `${minItems ?? 0} to ${maxItems} `;
}

function bounds({ minimum, maximum }: Keywords): string {
  if (minimum !== undefined && minimum === maximum) return ` ${minimum}`;
  if (maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER) {
    return ` ${minimum ?? 0} to ${maximum}`;
  }
  return minimum === undefined ? '' : ` from ${minimum}`;
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}
