/** How the answers of verbs are worded. */
import { hexAddress, pageIndex } from '../../../../server/vocabulary/address.ts';
import type { VerbResult } from '../../../sdk/conductor.ts';
import type { Values } from '../values.ts';
import type { AskedVerb } from '../verb.ts';

/** Rows shown of an answer with a row a page. */
const ROWS_MAX = 64;

/** The answer to `verb`, in words. */
export function answerWords(verb: string): AskedVerb['answer'] {
  return ANSWERS[verb] ?? (() => 'done');
}

const ANSWERS: { readonly [verb: string]: AskedVerb['answer'] } = {
  load: ({ value }, values) => `${values.address('ADDRESS')} = ${value}`,
  store: (_, values) => `${values.address('ADDRESS')} := ${values.u64('VALUE')}`,
  'load-pages': valueRows,
  'store-pages': (_, values) => rows(values.u64s('VALUE'), values.page('ADDRESS')),
  mmap: (_, values) => `mapped ${placeIn(values)} ${values.word('PROT')} ${values.word('KIND')}`,
  munmap: (_, values) => `unmapped ${placeIn(values)}`,
  mprotect: (_, values) => `${placeIn(values)} is ${values.word('PROT')} now`,
  madvise: (_, values) => `MADV_${values.word('ADVICE')} ${placeIn(values)}`,
  mremap: (_, values) => `moved ${placeIn(values)} to ${values.address('TO')}`,
  fork: (_, values) => `forked ${values.word('CHILD')}; use ${values.word('CHILD')} speaks for it`,
  exit: () => 'exited',
  pin: (result, values) =>
    `pinned ${plural(countIn(result, 'npages'), 'page')}; unpin ${values.number('ID')} lets go`,
  unpin: (_, values) => `pin ${values.number('ID')} is gone`,

  read: (result, values) => `${valueRows(result, values)}${faults(result)}`,
  write: (result) => `wrote ${plural(countIn(result, 'cpages'), 'page')}${faults(result)}`,
  'fault-read': (_, values) => `mapped ${placeIn(values)} (pt shows how)`,
  'fault-write': (_, values) => `mapped ${placeIn(values)} for writing (pt shows how)`,
  prefetch: (_, values) => `mapped what was there of ${placeIn(values)} (pt shows how)`,
  'read-mapped': valueRows,
  peek: valueRows,
  snapshot: (result, values) => valueRows({ values: result.prot ?? [] }, values),
  'migrate-to-dev': valueRows,
  'migrate-to-sys': (result) => `${plural(countIn(result, 'cpages'), 'page')} went back`,
  migrate: (_, values) => `migrated what could be of ${placeIn(values)} (pt shows what)`,
  collect: (_, values) => `set a migration of ${placeIn(values)} up, and gave it up`,
  release: () => 'no page is left in the memory of this device',
  exclusive: valueRows,
  'check-exclusive': (_, values) => `${placeIn(values)}: not exclusive to this device (any more)`,
  'read-loop': (_, values) => `reads ${placeIn(values)} until stop ${placeIn(values)}`,
  stop: (result) =>
    `${plural(countIn(result, 'reads'), 'read')}, ${plural(countIn(result, 'errors'), 'error')}`,

  setup: (result) =>
    `migrate_vma_setup(): ${plural(countIn(result, 'collected'), 'page')} may migrate. Next: pages`,
  copy: (result) => `copied ${plural(countIn(result, 'copied'), 'page')}. Next: pages`,
  pages: (result) => {
    const lost = countIn(result, 'lost');
    const moved = `migrate_vma_pages(): ${plural(countIn(result, 'moved'), 'page')} moved`;
    return `${moved}${lost === 0 ? '' : `, ${lost} did not`}. Next: finalize`;
  },
  map: (result) => `mapped ${plural(countIn(result, 'mapped'), 'page')}. Next: finalize`,
  finalize: (result) =>
    `migrate_vma_finalize(): ${plural(countIn(result, 'migrated'), 'page')} migrated`,
};

export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** A number of the answer; 0 if it is not there. */
function countIn(result: VerbResult, name: string): number {
  const value = result[name];
  return typeof value === 'number' ? value : 0;
}

function faults(result: VerbResult): string {
  const count = countIn(result, 'faults');
  return count === 0 ? '' : ` (${plural(count, 'fault')})`;
}

/** `0x10000 = 0x2a`, or a row a page. */
function valueRows(result: VerbResult, values: Values): string {
  const texts = Array.isArray(result.values) ? result.values.map(String) : [];
  return rows(texts, values.page('ADDRESS'));
}

/** A row a page from `first` on. */
function rows(texts: readonly string[], first: number): string {
  const shown = texts
    .slice(0, ROWS_MAX)
    .map((text, at) => `${hexAddress(pageIndex(first + at))} = ${text}`);
  const left = texts.length - shown.length;
  return [...shown, ...(left > 0 ? [`... and ${plural(left, 'page')} more`] : [])].join('\n');
}

/** `0x10000`, or `0x10000, 3 pages`. */
function placeIn(values: Values): string {
  const { first, end } = values.range('ADDRESS', 'PAGES');
  const from = hexAddress(pageIndex(first));
  return end - first === 1 ? from : `${from}, ${end - first} pages`;
}
