/** What came instead of what was expected, in few characters. */

const CHARS_MAX = 48;

/** The part of `value` that `path` names: `.range.end`, `.targets[2].pfn`. Undefined if there is none. */
export function partOf(value: unknown, path: string): unknown {
  let part = value;
  for (const [, name, index] of path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)) {
    if (typeof part !== 'object' || part === null) return undefined;
    const key = index ?? name ?? '';
    part = Object.hasOwn(part, key) ? (part as Readonly<Record<string, unknown>>)[key] : undefined;
  }
  return part;
}

export function briefly(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX)}...` : text;
}
