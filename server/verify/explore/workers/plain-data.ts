/** `value` as it can be sent to another thread: without functions, wherever they stand in it. */
export function withoutFunctions<T>(value: T): T {
  return copied(value, new Map()) as T;
}

function copied(value: unknown, known: Map<object, unknown>): unknown {
  if (typeof value === 'function') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  const before = known.get(value);
  if (before !== undefined) return before;
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    known.set(value, list);
    for (const item of value) list.push(copied(item, known));
    return list;
  }
  if (value instanceof Map) {
    const map = new Map<unknown, unknown>();
    known.set(value, map);
    for (const [key, item] of value) map.set(copied(key, known), copied(item, known));
    return map;
  }
  if (value instanceof Set) return new Set([...value].map((item) => copied(item, known)));
  const record: Record<string, unknown> = {};
  known.set(value, record);
  for (const [key, item] of Object.entries(value)) {
    const copy = copied(item, known);
    if (copy !== undefined) record[key] = copy;
  }
  return record;
}
