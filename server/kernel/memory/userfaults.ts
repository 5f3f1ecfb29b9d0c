/** What an address space keeps for userfaultfd; see userfault.ts. */
import type { PageIndex, PageRange } from '../../vocabulary/address.ts';

/** A task that waits for a page. */
export interface UserfaultWait {
  readonly page: PageIndex;
  readonly task: number;
  state: 'waits' | 'woken';
}

export interface Userfaults {
  readonly ranges: PageRange[];
  readonly waits: UserfaultWait[];
}

export function newUserfaults(): Userfaults {
  return { ranges: [], waits: [] };
}
