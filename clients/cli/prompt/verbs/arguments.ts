/** Arguments that many verbs have. */
import type { Argument } from '../verb.ts';

export const PAGE: Argument = {
  name: 'ADDRESS',
  kind: 'page',
  presence: { default: 'a' },
  what: 'the first page',
};

export const PAGES: Argument = {
  name: 'PAGES',
  kind: 'count',
  presence: { default: '1' },
  what: 'how many pages',
};

/** Arguments of a verb that acts on pages. */
export const RANGE: readonly Argument[] = [PAGE, PAGES];
