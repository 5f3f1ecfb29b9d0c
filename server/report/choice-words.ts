/** Which kernel and which drivers a result is of. */

/** The ids that patches and drivers have themselves, wherever they were loaded from. */
export interface ChoiceNames {
  /** As it was asked for: 'stock', an id, or a file. */
  readonly kernel: string;
  readonly patches: readonly string[];
  /** By actor; '*' for all that are not named. */
  readonly drivers: { readonly [actor: string]: string };
}

/** `stock`, `lazy-flush (./mine.ts)`. */
export function kernelWords({ kernel, patches }: Pick<ChoiceNames, 'kernel' | 'patches'>): string {
  const ids = patches.join(' + ');
  return ids === '' || ids === kernel ? kernel : `${ids} (${kernel})`;
}

/** `, driver map-losers in dev0`; empty where every device has the driver of the scenario. */
export function driverWords(drivers: ChoiceNames['drivers']): string {
  return Object.entries(drivers)
    .map(([actor, name]) => (actor === '*' ? `, driver ${name}` : `, driver ${name} in ${actor}`))
    .join('');
}

/** `stock, driver map-losers in dev0`. */
export function choiceWords(names: ChoiceNames): string {
  return `${kernelWords(names)}${driverWords(names.drivers)}`;
}
