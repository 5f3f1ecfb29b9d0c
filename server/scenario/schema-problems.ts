/**
 * Everything in which a value differs from a schema, with the path of each difference. Runs only after a compiled
 * check has failed, so it may be slow.
 *
 * Covers the keywords that scenario-schema.ts uses: object, record, array, integer, string, const, enum, anyOf.
 */
import { boundOfSchema } from '../protocol/explain.ts';
import { nearestWord, suggestion } from '../vocabulary/nearest-word.ts';
import type { Path } from './yaml-source.ts';

export interface SchemaDifference {
  readonly path: Path;
  readonly message: string;
  /** Which part of the entry at `path` is wrong. */
  readonly part: 'key' | 'value';
}

interface Keywords {
  readonly type?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Keywords[];
  readonly properties?: { readonly [name: string]: Keywords };
  readonly patternProperties?: { readonly [pattern: string]: Keywords };
  readonly required?: readonly string[];
  readonly items?: Keywords;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

export function differences(schema: unknown, value: unknown, path: Path = []): SchemaDifference[] {
  const keywords = schema as Keywords;
  if (keywords.anyOf !== undefined) return unionDifferences(keywords.anyOf, value, path);
  if (keywords.properties !== undefined) return objectDifferences(keywords, value, path);
  if (keywords.patternProperties !== undefined) return recordDifferences(keywords, value, path);
  if (keywords.type === 'array') return arrayDifferences(keywords, value, path);
  if (fitsScalar(keywords, value)) return [];
  return [wrong(keywords, value, path)];
}

function wrong(keywords: Keywords, value: unknown, path: Path): SchemaDifference {
  const words = (keywords.enum ?? []).filter((one) => typeof one === 'string');
  const hint = typeof value === 'string' ? suggestion(value, words) : '';
  return {
    path,
    message: `expected ${keywords.description ?? boundOfSchema(keywords)}, got ${show(value)}${hint}`,
    part: 'value',
  };
}

function objectDifferences(keywords: Keywords, value: unknown, path: Path): SchemaDifference[] {
  const known = keywords.properties ?? {};
  if (!isMapping(value)) {
    const message = `expected a mapping with ${Object.keys(known).join(', ')}, got ${show(value)}`;
    return [{ path, message, part: 'value' }];
  }
  const found: SchemaDifference[] = [];
  const misspelt = new Set<string>();
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(known, key)) {
      found.push(...differences(known[key], value[key], [...path, key]));
      continue;
    }
    const missing = Object.keys(known).filter((name) => !Object.hasOwn(value, name));
    const meant = nearestWord(key, missing);
    misspelt.add(meant);
    const hint = suggestion(key, missing) || `; known here: ${Object.keys(known).join(', ')}`;
    found.push({ path: [...path, key], message: `unknown key "${key}"${hint}`, part: 'key' });
  }
  for (const key of keywords.required ?? []) {
    if (Object.hasOwn(value, key) || misspelt.has(key)) continue;
    const property = known[key] ?? {};
    const message = `expected the key "${key}": ${property.description ?? boundOfSchema(property)}`;
    found.push({ path, message, part: 'value' });
  }
  return found;
}

function recordDifferences(keywords: Keywords, value: unknown, path: Path): SchemaDifference[] {
  if (!isMapping(value)) {
    return [{ path, message: `expected a mapping, got ${show(value)}`, part: 'value' }];
  }
  const [schema] = Object.values(keywords.patternProperties ?? {});
  return Object.keys(value).flatMap((key) => differences(schema, value[key], [...path, key]));
}

function arrayDifferences(keywords: Keywords, value: unknown, path: Path): SchemaDifference[] {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = keywords;
  if (!Array.isArray(value)) {
    return [{ path, message: `expected a list, got ${show(value)}`, part: 'value' }];
  }
  if (value.length < minItems || value.length > maxItems) {
    const message = `expected ${minItems} to ${maxItems} entries, got ${value.length}`;
    return [{ path, message, part: 'value' }];
  }
  return value.flatMap((item, at) => differences(keywords.items ?? {}, item, [...path, at]));
}

/** The branch that was meant is the one whose fixed word (`do`) the value has. */
function unionDifferences(
  branches: readonly Keywords[],
  value: unknown,
  path: Path,
): SchemaDifference[] {
  const all = branches.map((branch) => differences(branch, value, path));
  if (all.some((found) => found.length === 0)) return [];
  const key = discriminantOf(branches);
  if (key === 'none' || !isMapping(value)) return closest(branches, all, value, path);
  const words = branches.map((branch) => String(branch.properties?.[key]?.const));
  const meant = branches.find((branch) => branch.properties?.[key]?.const === value[key]);
  if (meant !== undefined) return differences(meant, value, path);
  if (!Object.hasOwn(value, key)) {
    return [{ path, message: `expected the key "${key}": ${words.join(', ')}`, part: 'value' }];
  }
  const hint = suggestion(String(value[key]), words) || `; known are ${words.join(', ')}`;
  const message = `${show(value[key])} is no ${key} that is known${hint}`;
  return [{ path: [...path, key], message, part: 'value' }];
}

function discriminantOf(branches: readonly Keywords[]): string | 'none' {
  const [first] = branches;
  for (const [key, property] of Object.entries(first?.properties ?? {})) {
    if (property.const === undefined) continue;
    if (branches.every((branch) => branch.properties?.[key]?.const !== undefined)) return key;
  }
  return 'none';
}

/** For mappings the branch with the fewest complaints, for scalars all that is allowed. */
function closest(
  branches: readonly Keywords[],
  all: readonly SchemaDifference[][],
  value: unknown,
  path: Path,
): SchemaDifference[] {
  if (isMapping(value) && branches.some((branch) => branch.properties !== undefined)) {
    const sorted = all.toSorted((a, b) => a.length - b.length);
    return sorted[0] ?? [];
  }
  const allowed = branches
    .map((branch) => branch.description ?? boundOfSchema(branch))
    .join(', or ');
  return [{ path, message: `expected ${allowed}, got ${show(value)}`, part: 'value' }];
}

function fitsScalar(keywords: Keywords, value: unknown): boolean {
  if (keywords.enum !== undefined) return keywords.enum.includes(value);
  if (keywords.const !== undefined) return keywords.const === value;
  if (keywords.type === 'integer') return fitsInteger(keywords, value);
  if (keywords.type !== 'string') return true;
  if (typeof value !== 'string') return false;
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern } = keywords;
  if (value.length < minLength || value.length > maxLength) return false;
  return pattern === undefined || new RegExp(pattern).test(value);
}

function fitsInteger(keywords: Keywords, value: unknown): boolean {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return false;
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = keywords;
  return value >= minimum && value <= maximum && value % (keywords.multipleOf ?? 1) === 0;
}

function isMapping(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const SHOWN_CHARS_MAX = 60;

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}...` : text;
}
