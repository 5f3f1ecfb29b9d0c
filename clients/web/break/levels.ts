/** The levels of the game: shipped scenarios with a bug that a scheduler can bring about in a few choices. */
export interface Level {
  readonly scenario: string;
  readonly title: string;
  readonly goal: string;
  /** A patch of the kernel or a driver of the devices, which has the bug. */
  readonly bug: { readonly kind: 'patch' | 'driver' | 'as written'; readonly name: string };
  /** The fewest switches that break it: levels.test.ts has the search find it. */
  readonly par: number;
}

export const LEVELS: readonly Level[] = [
  {
    scenario: 'page-lock-under-driver-lock',
    title: 'A lock inside a lock',
    goal: 'Make both wait for each other, for ever.',
    bug: { kind: 'driver', name: 'page-lock-under-driver-lock' },
    par: 1,
  },
  {
    scenario: 'madvise-before-map',
    title: 'Thrown away too early',
    goal: 'Throw the page away before the device has mapped it.',
    bug: { kind: 'as written', name: '' },
    par: 2,
  },
  {
    scenario: 'collect-drops-dirty',
    title: 'A dirty page called clean',
    goal: 'Make a write of the CPU disappear.',
    bug: { kind: 'patch', name: 'collect-drops-dirty' },
    par: 2,
  },
  {
    scenario: 'mprotect-vs-rmap-walk',
    title: 'A walk without the lock',
    goal: 'Change the rights while another task walks the mappings.',
    bug: { kind: 'patch', name: 'rmap-walk-without-lock' },
    par: 2,
  },
  {
    scenario: 'seed-zero-page',
    title: 'The zero page that one device kept',
    goal: 'Make the reader keep a mirror that no invalidation takes away.',
    bug: { kind: 'patch', name: 'remove-second-invalidate' },
    par: 4,
  },
  {
    scenario: 'seed-empty-entry',
    title: 'The same, from nothing',
    goal: 'The page table is empty at first. Find the gap again.',
    bug: { kind: 'patch', name: 'remove-second-invalidate' },
    par: 4,
  },
];

export const FIRST_LEVEL = 'seed-zero-page';
