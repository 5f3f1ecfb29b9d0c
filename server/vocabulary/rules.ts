/**
 * The numbered rules of the house. An id stands in docs/SPEC.md, in the assertion that guards it and in
 * the title of the test that shows it. Ids are never reused.
 */
export const RULES = {
  VA1: 'a virtual address is a whole number',
  VA2: 'a virtual address lies below 2^47',
  VA3: 'a page range is not empty and ends after it begins',
  FR1: 'a frame is freed once',
  FR2: 'a freed frame is mapped nowhere',
  FR3: 'a reference is taken only on a frame that has one',
  FR4: 'a mapcount never falls below zero',
  LK1: 'a lock has at most one writer and no writer beside readers',
  LK2: 'a lock is released by whoever holds it',
  LK3: 'locks nest in LOCK_ORDER',
  LK4: 'a lock proof belongs to the lock that guards the object',
  PT1: 'a page table entry is written under the lock of its page-table page',
  PT2: 'a small entry is written only where no huge entry stands',
  MN1: 'an invalidation is ended once, by whoever started it',
  MN2: 'the invalidate sequence is odd exactly while a range is being invalidated',
  SC1: 'the same choices lead to the same ready steps',
  SC2: 'a task is resumed only when its step is ready',
  MV1: 'a migrate_vma call names a migration that is open',
  DR1: 'a device frame belongs to the device that hands it out',
  OR1: 'outside an open invalidation a device maps what the CPU maps, with no more rights',
  OR2: 'no mapping outlives its frame',
  OR3: 'an address is one register for CPUs and devices',
  OR4: 'at rest nothing is left behind: locks, references, isolated pages, migration entries',
  OR5: 'every task gets on: no deadlock, no lost wake-up',
} as const satisfies Record<string, string>;

export type RuleId = keyof typeof RULES;
