/** Values of units as text, and back: JSON, with maps and sets in it, and numbers that JSON has not. */

const TAG = '%mmrace';

/** Equal values give equal texts, whatever thread they come from. */
export function valueText(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (item instanceof Map) return { [TAG]: 'map', of: [...item] };
    if (item instanceof Set) return { [TAG]: 'set', of: [...item] };
    if (typeof item === 'bigint') return { [TAG]: 'bigint', of: String(item) };
    if (typeof item === 'number' && !Number.isFinite(item))
      return { [TAG]: 'number', of: String(item) };
    return item;
  });
}

export function valueIn(text: string): unknown {
  return JSON.parse(text, (_, item: unknown) => {
    if (typeof item !== 'object' || item === null || !(TAG in item)) return item;
    const { [TAG]: kind, of } = item as { readonly [TAG]: string; readonly of: unknown };
    if (kind === 'map') return new Map(of as [unknown, unknown][]);
    if (kind === 'set') return new Set(of as unknown[]);
    return kind === 'bigint' ? BigInt(of as string) : Number(of);
  });
}
