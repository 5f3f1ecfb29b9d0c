/** A value that fits a schema of the protocol, or nearly does: numbers that mean something to the kernel come first. */
import type { Type } from 'typebox';
import type { Chance } from './chance.fixture.ts';
import type { Known } from './known.fixture.ts';

/** What the memory of a fuzzed lab is made of: few pages, so that clients meet there. */
const FIRST_PAGE = 0x100200;
const PAGES = 16;
const PAGE_SIZE = 4096;
const PAGE_INDEX_MAX = 2 ** 35 - 1;
const FLAG_BITS = 64;

export interface Source {
  readonly chance: Chance;
  readonly known: Known;
}

interface Schema {
  readonly title?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

export function fittingValue(schema: Type.TSchema, source: Source): unknown {
  return anyValue(schema as Schema, '', source);
}

function anyValue(schema: Schema, name: string, source: Source): unknown {
  const { chance } = source;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return chance.of(schema.enum);
  if (name === 'fault_page' && chance.in100(90)) return 'none';
  if (schema.anyOf !== undefined) return anyValue(chance.of(schema.anyOf), name, source);
  switch (schema.type) {
    case 'object':
      return objectValue(schema, source);
    case 'array':
      return arrayValue(schema, name, source);
    case 'string':
      return stringValue(schema, name, source);
    case 'integer':
    case 'number':
      return numberValue(schema, name, source);
    default:
      return null;
  }
}

function objectValue(schema: Schema, source: Source): unknown {
  const { chance } = source;
  // Of a subscription: one that covers all of it lets the calls through that need one.
  if (schema.title === 'range' && chance.in100(70)) {
    return { first: FIRST_PAGE, end: FIRST_PAGE + 2 * PAGES };
  }
  const value: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(schema.properties ?? {})) {
    if (!schema.required?.includes(key) && chance.in100(85)) continue;
    value[key] = anyValue(part, key, source);
  }
  // Only a mapping of a file has one.
  if (typeof value.kind === 'string' && chance.in100(95)) {
    if (value.kind.startsWith('file')) return { ...value, file: chance.below(2), offset: 0 };
    const { file: _file, offset: _offset, ...rest } = value;
    return rest;
  }
  // Pages [first, end): the second is no number of its own.
  if (typeof value.first === 'number' && typeof value.end === 'number') {
    value.end = Math.min(
      PAGE_INDEX_MAX + 1,
      value.first + 1 + chance.below(chance.of([1, 4, 2 * PAGES])),
    );
  }
  return value;
}

function arrayValue(schema: Schema, name: string, source: Source): unknown[] {
  const { chance, known } = source;
  const { minItems = 0, maxItems = 4 } = schema;
  const usual = name === 'dst' ? known.migrationPages : minItems + chance.below(4);
  const length = chance.in100(1) ? maxItems : Math.min(maxItems, usual);
  return Array.from({ length }, () => anyValue(schema.items ?? {}, name, source));
}

function stringValue(schema: Schema, name: string, { chance }: Source): string {
  switch (name) {
    case 'address':
    case 'to': {
      const page = pageNumber(chance);
      const word = schema.title === 'word address' ? 8 * chance.below(4) : 0;
      return `0x${(BigInt(page) * BigInt(PAGE_SIZE) + BigInt(word)).toString(16)}`;
    }
    case 'value':
      return `0x${chance.below(2 ** 16).toString(16)}`;
    case 'child':
      return `kid${chance.below(4)}`;
    case 'after':
      return chance.of(['migrate_vma_setup', 'hmm_range_fault', '']);
    default:
      return chance.of(['x', '', '0', '__proto__', 'constructor']);
  }
}

function numberValue(schema: Schema, name: string, { chance, known }: Source): number {
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = schema;
  if (chance.in100(1)) return chance.of([minimum, maximum, maximum - 1]);
  const within = (value: number) => Math.min(maximum, Math.max(minimum, value));
  switch (name) {
    case 'page':
    case 'first':
      return within(name === 'first' && chance.in100(10) ? seen('pfn') : pageNumber(chance));
    case 'pages':
      return within(1 + chance.below(chance.of([1, 4, 16, PAGES])));
    case 'mm':
      return chance.in100(95) ? 0 : within(chance.below(4));
    case 'count':
    case 'id':
    case 'file':
    case 'offset':
      return within(minimum + chance.below(chance.of([1, 4])));
    case 'dst':
      return chance.in100(30) ? 0 : seen('pfn') * FLAG_BITS + chance.of([0, 1, 9, 3]);
    default:
      return within(seen(name));
  }

  function seen(key: string): number {
    const value = chance.in100(95) ? known.one(key, chance) : 'none';
    return value === 'none' ? chance.below(chance.of([8, 2 ** 24])) : value;
  }
}

function pageNumber(chance: Chance): number {
  return FIRST_PAGE + chance.below(chance.of([4, PAGES]));
}
