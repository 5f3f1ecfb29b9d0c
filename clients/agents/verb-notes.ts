/** What the verbs of the ready-made clients do, for the documents. */

import { prose } from '../../server/abi/prose.ts';
import { strict } from '../../server/abi/scalars.ts';
import { CPU_REQUESTS, type CpuMethod } from '../../server/protocol/cpu-requests.ts';
import type { RequestSpec } from '../../server/protocol/request-spec.ts';
import { MANY_PAGES_VERBS } from './cpu-verbs.ts';
import { DEVICE_VERBS, type DeviceVerbName } from './device-verbs.ts';

interface Note {
  readonly meaning: string;
  readonly result: string;
}

export interface VerbNote extends Note {
  readonly verb: string;
  readonly fields: RequestSpec['params'];
}

const DEVICE_NOTES: { readonly [Verb in DeviceVerbName]: Note } = {
  read: {
    meaning: 'Reads through the device page table, faulting in what is missing.',
    result: '`{errno, values, cpages, faults}`',
  },
  write: {
    meaning: 'Writes `values`, one a page, faulting for writing where needed.',
    result: '`{errno, cpages, faults}`',
  },
  'migrate-to-dev': {
    meaning: prose(`
      Migrates the range to private memory, mapping by mapping, then reads it through the page table without faulting:
      ENOENT if a page has no entry then, EINVAL at a hole of the mappings.
    `),
    result: '`{errno, values, cpages}`',
  },
  'migrate-to-sys': {
    meaning:
      'Migrates private pages of the range back; `cpages` have moved. EINVAL at a hole of the mappings.',
    result: '`{errno, cpages}`',
  },
  snapshot: {
    meaning: 'What hmm_range_fault says with `snapshot`: the CPU page table, nothing is faulted.',
    result: '`{errno, prot}`',
  },
  exclusive: {
    meaning: prose(`
      make_device_exclusive_range, 64 pages at a time, maps what it got, and reads it without faulting. EBUSY if a page
      could not be had: the others of its 64 stay mapped, unless the answer was shorter than asked for.
    `),
    result: '`{errno, values, cpages}`',
  },
  'check-exclusive': {
    meaning: 'EPERM if some page of the range is still mapped exclusive, OK if none is.',
    result: '`{errno}`',
  },
  release: {
    meaning: 'Evicts all private memory; the next migration registers new.',
    result: '`{errno}`',
  },
  'fault-read': {
    meaning: 'Faults the range in for reading, whether there are entries or not.',
    result: '`{errno}`',
  },
  'fault-write': {
    meaning: 'Faults the range in for writing, whether there are entries or not.',
    result: '`{errno}`',
  },
  setup: {
    meaning: prose(`
      The first step of a migration by hand: mmap_read_lock and migrate_vma_setup. One migration is open at a time, and
      until finalize a verb that would fault on its pages answers EDEADLK. A step that does not come next is refused.
    `),
    result: '`{errno, collected}`: pages that may migrate',
  },
  copy: {
    meaning:
      'Takes private frames and copies the pages into them. `pages` does it, if it was left out.',
    result: '`{errno, copied}`',
  },
  pages: {
    meaning: 'Calls migrate_vma_pages.',
    result: '`{errno, moved, lost}`',
  },
  map: {
    meaning:
      'Enters what moved into the device page table. `finalize` does it, if it was left out.',
    result: '`{errno, mapped}`',
  },
  finalize: {
    meaning: prose(`
      Calls migrate_vma_finalize and mmap_read_unlock. Without \`pages\` before, the migration is given up.
    `),
    result: '`{errno, migrated}`',
  },
  'page-table': {
    meaning: 'What the device page table holds.',
    result: '`{entries}`, each `{page, pfn, access, memory}`',
  },
  peek: {
    meaning: 'What the device reads without faulting; `"unmapped"` where it would fault.',
    result: '`{values}`',
  },
  'read-loop': {
    meaning: 'Starts `threads` tasks that read the range again and again. Answers at once.',
    result: '`{}`',
  },
  stop: {
    meaning: 'Ends the loops of this range, and answers when they have ended.',
    result: '`{reads, errors}`',
  },
};

const ERRNO = '`{errno}`';
const CPU_RESULTS: { readonly [Method in CpuMethod]: string } = {
  load: '`{value}` or `{signal}`',
  store: '`{ok: true}` or `{signal}`',
  mmap: ERRNO,
  munmap: ERRNO,
  mprotect: ERRNO,
  madvise: ERRNO,
  mremap: ERRNO,
  fork: ERRNO,
  exit: ERRNO,
  pin: '`{errno, npages}`',
  unpin: ERRNO,
};

const MANY_PAGES_NOTES: { readonly [Verb in keyof typeof MANY_PAGES_VERBS]: Note } = {
  'load-pages': {
    meaning: 'Loads the u64 at the start of each page, all at once.',
    result: '`{values}`: a u64 or the signal, one a page',
  },
  'store-pages': {
    meaning: 'Stores a u64 at the start of each page, all at once.',
    result: '`{ok: true}` or the first `{signal}`',
  },
};

export const DEVICE_VERB_NOTES: readonly VerbNote[] = Object.entries(DEVICE_NOTES).map(
  ([verb, note]) => ({ verb, fields: strict(DEVICE_VERBS[verb as DeviceVerbName]), ...note }),
);

export const CPU_VERB_NOTES: readonly VerbNote[] = [
  ...Object.entries(CPU_REQUESTS).map(([verb, { params }]) => ({
    verb,
    fields: params,
    meaning: `As the method ${verb}.`,
    result: CPU_RESULTS[verb as CpuMethod],
  })),
  ...Object.entries(MANY_PAGES_VERBS).map(([verb, fields]) => ({
    verb,
    fields,
    ...MANY_PAGES_NOTES[verb as keyof typeof MANY_PAGES_VERBS],
  })),
];
