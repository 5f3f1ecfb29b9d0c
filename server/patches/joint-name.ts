/** Patches by name. Several together have one name, `a + b`, wherever one patch has one. */

/** The kernel without patches goes by this name. */
export const STOCK_NAME = 'stock';

const AND = ' + ';

/** `a + b`, in the order in which they are applied, each once; 'stock' for none. */
export function jointName(names: readonly string[]): string {
  const each = new Set(names.flatMap(namesIn));
  return each.size === 0 ? STOCK_NAME : [...each].join(AND);
}

/** The inverse: empty for 'stock'. */
export function namesIn(joint: string): string[] {
  return joint.split(AND).filter((name) => name !== STOCK_NAME);
}
