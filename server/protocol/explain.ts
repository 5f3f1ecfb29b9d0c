/**
 * Says in words why a value does not fit a schema: the path of the first thing that is wrong and the bound that
 * it leaves. Runs only after a compiled check has failed, so it may be slow.
 *
 * Covers the keywords that our schemas use: object, array, integer, string, boolean, const, enum, anyOf, refine.
 */
import type { Type } from 'typebox';

export interface Mismatch {
  readonly path: string;
  /** Completes "expected ...". */
  readonly bound: string;
}

interface Keywords {
  readonly type?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Keywords[];
  readonly allOf?: readonly Keywords[];
  readonly properties?: { readonly [name: string]: Keywords };
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
  readonly patternProperties?: { readonly [pattern: string]: Keywords };
  readonly maxProperties?: number;
  readonly items?: Keywords;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly '~refine'?: readonly { check(value: unknown): boolean; error(value: unknown): string }[];
}

/** Returns: the first mismatch in the order of the schema, or 'none' if `value` fits as far as this checks. */
export function explain(schema: Type.TSchema, value: unknown, path: string): Mismatch | 'none' {
  return mismatch(schema as Keywords, value, path);
}

function mismatch(schema: Keywords, value: unknown, path: string): Mismatch | 'none' {
  if (schema.anyOf !== undefined) return unionMismatch(schema.anyOf, schema, value, path);
  const own = ownMismatch(schema, value, path);
  if (own !== 'none') return own;
  for (const part of schema.allOf ?? []) {
    const found = mismatch(part, value, path);
    if (found !== 'none') return found;
  }
  for (const refinement of schema['~refine'] ?? []) {
    if (!refinement.check(value)) return { path, bound: refinement.error(value) };
  }
  return 'none';
}

function ownMismatch(schema: Keywords, value: unknown, path: string): Mismatch | 'none' {
  const wrong = { path, bound: boundOfSchema(schema) };
  if (schema.enum !== undefined) return schema.enum.includes(value) ? 'none' : wrong;
  if (schema.const !== undefined) return schema.const === value ? 'none' : wrong;
  switch (schema.type) {
    case 'object':
      return objectMismatch(schema, value, path);
    case 'array':
      return arrayMismatch(schema, value, path);
    case 'integer':
    case 'number':
      return fitsNumber(schema, value) ? 'none' : wrong;
    case 'string':
      return fitsString(schema, value) ? 'none' : wrong;
    case 'boolean':
      return typeof value === 'boolean' ? 'none' : wrong;
    case 'null':
      return value === null ? 'none' : wrong;
    default:
      return 'none';
  }
}

function objectMismatch(schema: Keywords, value: unknown, path: string): Mismatch | 'none' {
  if (!isObject(value)) return { path, bound: 'an object' };
  const known = schema.properties ?? {};
  for (const [name, property] of Object.entries(known)) {
    const at = path === '' ? name : `${path}.${name}`;
    if (Object.hasOwn(value, name)) {
      const found = mismatch(property, value[name], at);
      if (found !== 'none') return found;
    } else if (schema.required?.includes(name)) {
      return { path: at, bound: boundOfSchema(property) };
    }
  }
  const patterned = patternMismatch(schema, value, path);
  if (patterned !== 'none') return patterned;
  if (schema.additionalProperties === false) {
    const patterns = Object.keys(schema.patternProperties ?? {});
    const stranger = Object.keys(value).find(
      (name) => !(Object.hasOwn(known, name) || patterns.some((one) => new RegExp(one).test(name))),
    );
    if (stranger !== undefined) {
      const names = Object.keys(known).join(', ');
      const shown = stranger.slice(0, 64);
      return {
        path: path === '' ? shown : `${path}.${shown}`,
        bound: names === '' ? 'no field here' : `no field of this name; known are ${names}`,
      };
    }
  }
  return 'none';
}

/** Of fields that are known by their form, as in a record. */
function patternMismatch(
  schema: Keywords,
  value: { readonly [name: string]: unknown },
  path: string,
): Mismatch | 'none' {
  const { patternProperties = {}, maxProperties = Number.POSITIVE_INFINITY } = schema;
  if (Object.keys(value).length > maxProperties) {
    return { path, bound: `an object with at most ${maxProperties} fields` };
  }
  for (const [pattern, property] of Object.entries(patternProperties)) {
    for (const name of Object.keys(value).filter((one) => new RegExp(pattern).test(one))) {
      const shown = name.slice(0, 64);
      const found = mismatch(property, value[name], path === '' ? shown : `${path}.${shown}`);
      if (found !== 'none') return found;
    }
  }
  return 'none';
}

function arrayMismatch(schema: Keywords, value: unknown, path: string): Mismatch | 'none' {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
  if (!Array.isArray(value) || value.length < minItems || value.length > maxItems) {
    return { path, bound: boundOfSchema(schema) };
  }
  if (schema.items === undefined) return 'none';
  for (const [at, item] of value.entries()) {
    const found = mismatch(schema.items, item, `${path}[${at}]`);
    if (found !== 'none') return found;
  }
  return 'none';
}

function unionMismatch(
  branches: readonly Keywords[],
  union: Keywords,
  value: unknown,
  path: string,
): Mismatch | 'none' {
  const marked = discriminantMismatch(branches, value, path);
  if (marked !== 'none') return marked;
  let closest: Mismatch | 'none' = 'none';
  for (const branch of meantBranches(branches, value)) {
    const found = mismatch(branch, value, path);
    if (found === 'none') return 'none';
    // The branch that fits deepest is the one that was meant, if it is about a part and not its discriminant.
    if (found.path !== path && !/\.(state|kind)$/.test(found.path) && closest === 'none')
      closest = found;
  }
  return closest === 'none' ? { path, bound: boundOfSchema(union) } : closest;
}

/** The name of the first field that every branch sets to one value: `action`, `kind`. */
function discriminantOf(branches: readonly Keywords[]): string | 'none' {
  const [first] = branches;
  const names = Object.keys(first?.properties ?? {});
  const isSet = (name: string) =>
    branches.every((branch) => branch.properties?.[name]?.const !== undefined);
  return names.find(isSet) ?? 'none';
}

function discriminantMismatch(
  branches: readonly Keywords[],
  value: unknown,
  path: string,
): Mismatch | 'none' {
  const name = discriminantOf(branches);
  if (name === 'none' || !isObject(value)) return 'none';
  const words = branches.map((branch) => branch.properties?.[name]?.const);
  if (words.includes(value[name])) return 'none';
  const bound = boundOfSchema({ enum: [...new Set(words)] });
  return { path: path === '' ? name : `${path}.${name}`, bound };
}

/** Those whose discriminant is that of `value`; all if there is none. */
function meantBranches(branches: readonly Keywords[], value: unknown): readonly Keywords[] {
  const name = discriminantOf(branches);
  if (name === 'none' || !isObject(value)) return branches;
  return branches.filter((branch) => branch.properties?.[name]?.const === value[name]);
}

function fitsNumber(schema: Keywords, value: unknown): boolean {
  if (typeof value !== 'number') return false;
  if (schema.type === 'integer' && !Number.isInteger(value)) return false;
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
  const { exclusiveMinimum = Number.NEGATIVE_INFINITY } = schema;
  return value >= minimum && value <= maximum && value > exclusiveMinimum;
}

function fitsString(schema: Keywords, value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
  if (value.length < minLength || value.length > maxLength) return false;
  return schema.pattern === undefined || new RegExp(schema.pattern).test(value);
}

/** What a schema allows, as the end of the sentence "expected ...". */
export function boundOfSchema(schema: Keywords): string {
  if (schema.description !== undefined && schema.type === 'string') return schema.description;
  if (schema.anyOf !== undefined) return schema.anyOf.map(boundOfSchema).join(', or ');
  if (schema.enum !== undefined)
    return `one of ${schema.enum.map((one) => JSON.stringify(one)).join(', ')}`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  switch (schema.type) {
    case 'object':
      return `an object with ${Object.keys(schema.properties ?? {}).join(', ') || 'no fields'}`;
    case 'array':
      return `an array of ${between(schema.minItems ?? 0, schema.maxItems)} entries`;
    case 'integer':
      return `a whole number ${between(schema.minimum, schema.maximum)}`.trim();
    case 'number':
      return numberBound(schema);
    case 'string':
      return schema.maxLength === undefined
        ? 'a string'
        : `a string of at most ${schema.maxLength} characters`;
    case 'boolean':
      return 'true or false';
    default:
      return schema.type ?? 'a value';
  }
}

function numberBound({ minimum, maximum, exclusiveMinimum }: Keywords): string {
  if (exclusiveMinimum === undefined) return `a number ${between(minimum, maximum)}`.trim();
  const most = maximum === undefined ? '' : ` and at most ${maximum}`;
  return `a number above ${exclusiveMinimum}${most}`;
}

function between(minimum: number | undefined, maximum: number | undefined): string {
  if (minimum !== undefined && maximum !== undefined) return `from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `from ${minimum} up`;
  return maximum === undefined ? '' : `up to ${maximum}`;
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
