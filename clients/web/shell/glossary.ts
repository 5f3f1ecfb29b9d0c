/** The words of this page that one has to know, each in a sentence. */
export const GLOSSARY = {
  entry: 'A line of the page table: where a page of the process is in memory.',
  mirror: 'A device’s own copy of an entry, right only as long as the device hears of changes.',
  invalidation: 'The kernel tells every device to drop its mirrors of a range, and waits for all.',
  stale: 'A mirror of what the page table does not say any more, with no invalidation under way.',
  migration: 'A page moves: out of main memory into that of a device, or back.',
  'zero page': 'One frame of zeros that every page shares that was read and never written.',
  'race window':
    'The moment in which the order of two actors decides. Never entered, it proves nothing.',
  'point of no return': 'The step after which every continuation fails, whatever the order.',
  switch: 'Somebody else goes on though the one who was going could.',
  hold: 'A task stands still behind a call of the kernel, until it is let go.',
  fenced: 'A device did not answer in time: its accesses are refused until it comes back.',
} as const;

export type GlossaryWord = keyof typeof GLOSSARY;
