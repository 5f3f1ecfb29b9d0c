/** Which shapes are asked first: those that a patch most likely shows in. */
import type { Shape } from './shapes.ts';
import { shapeOf } from './shapes.ts';

/**
 * First those with an operation that reaches the patch by itself. Which comes first of the like is left to a hash, so
 * that the beginning of the catalogue has some of everything.
 *
 * `reaches` is asked of shapes of one operation.
 */
export function likelyFirst(shapes: readonly Shape[], reaches: (alone: Shape) => boolean): Shape[] {
  const alone = new Map<string, boolean>();
  const reachedBy = (memory: string, operation: string): boolean => {
    const one = shapeOf(memory, [operation]);
    const known = alone.get(one.name) ?? reaches(one);
    alone.set(one.name, known);
    return known;
  };
  const ranked = shapes.map((shape) => ({
    shape,
    likely: shape.operations.some((operation) => reachedBy(shape.memory, operation)),
    place: scattered(shape.name),
  }));
  ranked.sort((a, b) => Number(b.likely) - Number(a.likely) || a.place - b.place);
  return ranked.map(({ shape }) => shape);
}

/** FNV-1a, mixed once more: names that differ in one letter lie far apart. */
export function scattered(name: string): number {
  let hash = 0x811c9dc5;
  for (const letter of name) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 12)) >>> 0;
}
