/** Which kernel and which drivers a result is of. */

/** The ids that patches and drivers have themselves, wherever they were loaded from. */
export interface ChoiceNames {
  /** As it was asked for: 'stock', an id, or a file. */
  readonly kernel: string;
  /** Of Linux; 'left out' where it stands elsewhere. */
  readonly version: string;
  readonly patches: readonly string[];
  /** By actor; '*' for all that are not named. */
  readonly drivers: { readonly [actor: string]: string };
}

/** `stock 6.12`, `lazy-flush (./mine.ts) on 6.12`. */
export function kernelWords(names: Pick<ChoiceNames, 'kernel' | 'version' | 'patches'>): string {
  const { kernel, version, patches } = names;
  const ids = patches.join(' + ');
  if (ids === '') return version === 'left out' ? kernel : `stock ${version}`;
  const words = ids === kernel ? ids : `${ids} (${kernel})`;
  return version === 'left out' ? words : `${words} on ${version}`;
}

/** `, driver map-losers in dev0`; empty where every device has the driver of the scenario. */
export function driverWords(drivers: ChoiceNames['drivers']): string {
  return Object.entries(drivers)
    .map(([actor, name]) => (actor === '*' ? `, driver ${name}` : `, driver ${name} in ${actor}`))
    .join('');
}

/** `stock 6.12, driver map-losers in dev0`. */
export function choiceWords(names: ChoiceNames): string {
  return `${kernelWords(names)}${driverWords(names.drivers)}`;
}
