/**
 * The one table of what a CPU thread can ask of the kernel: CpuApi, method by method. The schema of scenarios, what
 * their operations do, the wire, clients, the prompt, the page, recordings, the fuzzer and the documents follow from
 * it.
 */
import { Type } from 'typebox';
import { hexAddress, PAGES_MAX, type PageIndex, type PageRange } from '../vocabulary/address.ts';
import {
  ADVICES,
  type Advice,
  type CpuApi,
  MAPPING_KINDS,
  type MmapRequest,
  PIN_MODES,
  type PinMode,
  PROTS,
  type Prot,
} from './cpu-api.ts';
import {
  access,
  addressAt,
  type CpuOutcome,
  hexU64Of,
  pageAtAddress,
  rangeAt,
  regionOf,
  systemCall,
} from './cpu-call.ts';
import { prose } from './prose.ts';
import { hexU64, name, nothing, pageAddress, strict, word, wordAddress } from './scalars.ts';

const prot = word(...PROTS);
const pages = Type.Integer({ minimum: 1, maximum: PAGES_MAX });
const region = { address: pageAddress, pages };
const pinId = Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 });
const memory = { group: 'memory' } as const;
const mappings = { group: 'mappings' } as const;
const process = { group: 'process and pins' } as const;
const faults = { group: 'userfaultfd' } as const;

export const CPU_CALLS = {
  load: access({
    meaning: prose(`
      Loads the u64 at an address, through this thread's TLB and the page table, with the faults
      that this takes; or the signal that the access raised.
    `),
    errnos: [],
    help: {
      ...memory,
      summary: 'read eight bytes, faulting where the page table has no entry',
      examples: ['load', 'load 0x10008', 'load a+1'],
    },
    params: strict({ address: wordAddress }),
    result: strict({ value: hexU64 }),
    toParams: (address: number) => ({ address: hexU64Of(BigInt(address)) }),
    call: (params) => {
      const address = addressAt(params.address);
      return (api) => api.load(address);
    },
  }),
  store: access({
    meaning: 'Stores a u64, as load.',
    errnos: [],
    help: {
      ...memory,
      summary: 'write eight bytes',
      examples: ['store 42', 'store 0x10000 0x2a', 'store a+1 7'],
    },
    params: strict({ address: wordAddress, value: hexU64 }),
    result: nothing,
    toParams: (address: number, value: bigint) => ({
      address: hexU64Of(BigInt(address)),
      value: hexU64Of(value),
    }),
    call: (params) => {
      const address = addressAt(params.address);
      const value = BigInt(params.value);
      return (api) => api.store(address, value);
    },
  }),
  mmap: systemCall({
    meaning: prose(`
      Maps fresh memory: MAP_FIXED_NOREPLACE. file (which of 64 files) and offset are for the file
      kinds.
    `),
    errnos: ['EEXIST', 'EINVAL'],
    help: {
      ...mappings,
      summary: 'map pages',
      examples: [
        'mmap',
        'mmap 0x10000 4',
        'mmap 0x20000 2 r anon-shared',
        'mmap free 2 rw file-shared 0',
      ],
      defaults: { address: 'free', pages: '4' },
      errors: {
        EEXIST: 'Something is mapped there. maps shows it; munmap it first, or say mmap free.',
      },
    },
    params: strict({
      ...region,
      prot,
      kind: word(...MAPPING_KINDS),
      file: Type.Optional(Type.Integer({ minimum: 0, maximum: 63 })),
      offset: Type.Optional(Type.Integer({ minimum: 0, maximum: PAGES_MAX, description: 'pages' })),
    }),
    result: nothing,
    toParams: ({ range, ...rest }: MmapRequest) => ({ ...regionOf(range), ...rest }),
    call: ({ address, pages: count, ...rest }) => {
      const request: MmapRequest = { range: rangeAt({ address, pages: count }), ...rest };
      return (api) => api.mmap(request);
    },
  }),
  munmap: systemCall({
    meaning: 'Unmaps a region. Holes are no error.',
    errnos: [],
    help: {
      ...mappings,
      summary: 'unmap pages: every device drops them first',
      examples: ['munmap a 4'],
    },
    params: strict(region),
    result: nothing,
    toParams: regionOf,
    call: (params) => {
      const range = rangeAt(params);
      return (api) => api.munmap(range);
    },
  }),
  mprotect: systemCall({
    meaning: prose(`
      Changes the protection of a region. out-of-memory: a part is not mapped; the part before it
      was changed.
    `),
    errnos: ['ENOMEM'],
    help: {
      ...mappings,
      summary: 'change the rights of pages',
      examples: ['mprotect a 4 r', 'mprotect 0x10000 1 none'],
      defaults: { prot: 'r' },
      errors: { ENOMEM: 'Some page is not mapped; those before it were changed.' },
    },
    params: strict({ ...region, prot }),
    result: nothing,
    toParams: (range: PageRange, to: Prot) => ({ ...regionOf(range), prot: to }),
    call: (params) => {
      const range = rangeAt(params);
      return (api) => api.mprotect(range, params.prot);
    },
  }),
  madvise: systemCall({
    meaning: prose(`
      DONTNEED drops the pages, FREE marks them to be dropped, PAGEOUT swaps them out, REMOVE takes
      them out of their file, COLLAPSE takes the page table of each whole block of a file away, as
      khugepaged does where a huge page is mapped by small entries.
      out-of-memory: a part is not mapped; the mapped parts were handled.
    `),
    errnos: ['ENOMEM', 'EINVAL', 'EACCES'],
    help: {
      ...mappings,
      summary: 'drop the contents of pages, or push them out to swap',
      examples: ['madvise a 1', 'madvise 0x10000 4 PAGEOUT'],
      errors: { ENOMEM: 'Some page is not mapped; those that are were handled.' },
    },
    params: strict({
      ...region,
      advice: word(...ADVICES),
    }),
    result: nothing,
    toParams: (range: PageRange, advice: Advice) => ({ ...regionOf(range), advice }),
    call: (params) => {
      const range = rangeAt(params);
      return (api) => api.madvise(range, params.advice);
    },
  }),
  mremap: systemCall({
    meaning: 'Moves a region to another place: MREMAP_MAYMOVE|MREMAP_FIXED with the same size.',
    errnos: ['EFAULT', 'EINVAL'],
    help: {
      ...mappings,
      summary: 'move pages to another address',
      examples: ['mremap a 4 0x40000', 'mremap a 1'],
    },
    params: strict({ ...region, to: pageAddress }),
    result: nothing,
    toParams: (range: PageRange, to: PageIndex) => ({ ...regionOf(range), to: hexAddress(to) }),
    call: (params) => {
      const range = rangeAt(params);
      const to = pageAtAddress(params.to);
      return (api) => api.mremap(range, to);
    },
  }),
  fork: systemCall({
    meaning: prose(`
      Makes a child with a copy of the address space. Its thread is entered by a hello with the
      child's name and role cpu. come-back: the machine has had as many address spaces as it has
      numbers for.
    `),
    errnos: ['EINVAL', 'EAGAIN'],
    help: {
      ...process,
      summary: 'fork: a child with a copy of the address space joins as an actor of this prompt',
      examples: ['fork child0', 'use child0'],
      more: 'use CHILD makes the prompt speak for the child. Both share frames until one of them writes.',
      errors: { EEXIST: 'The lab has an actor of that name.' },
    },
    params: strict({ child: name }),
    result: nothing,
    toParams: (child: string) => ({ child }),
    call:
      ({ child }) =>
      (api) =>
        api.fork(child),
  }),
  exit: systemCall({
    meaning: prose(`
      Ends the process of this thread, which must be a forked child: its address space is torn
      down, its devices are asked release. All clients share the first process, so it stays.
    `),
    errnos: ['EPERM', 'EINVAL'],
    help: {
      ...process,
      summary: 'exit: the address space is torn down, devices are told to release it',
      examples: ['exit'],
      more: 'Only a forked child can exit, for all clients share the first process; to leave the lab say quit.',
      errors: {
        EPERM: 'Only a forked child can exit. quit leaves the lab.',
        EINVAL: 'This process has exited already. quit leaves the lab.',
      },
    },
    params: nothing,
    result: nothing,
    toParams: () => ({}),
    call: () => (api) => api.exit(),
  }),
  pin: systemCall({
    meaning: prose(`
      Takes references on the pages of a region, under a number of the caller's. longterm:
      FOLL_LONGTERM|FOLL_PIN|FOLL_WRITE, all pages or none; fast: the same as drivers do it,
      without mmap_lock where that is possible (pin_user_pages_fast); get: FOLL_GET for reading, as
      many as there are.
    `),
    errnos: ['EFAULT', 'EINVAL'],
    help: {
      ...process,
      summary: 'pin pages, as get_user_pages() does: they must not move until unpin',
      examples: ['pin a', 'pin a 2 get 7'],
    },
    params: strict({ ...region, id: pinId, mode: word(...PIN_MODES) }),
    result: strict({ pinned: Type.Integer({ minimum: 0 }) }),
    toParams: (id: number, range: PageRange, mode: PinMode) => ({ ...regionOf(range), id, mode }),
    call: (params) => {
      const range = rangeAt(params);
      return (api) => api.pin(params.id, range, params.mode);
    },
  }),
  unpin: systemCall({
    meaning: 'Gives back what pin took under this number.',
    errnos: ['EINVAL'],
    help: {
      ...process,
      summary: 'let go of what a pin has pinned',
      examples: ['unpin', 'unpin 7'],
    },
    params: strict({ id: pinId }),
    result: nothing,
    toParams: (id: number) => ({ id }),
    call:
      ({ id }) =>
      (api) =>
        api.unpin(id),
  }),
  reclaim: systemCall({
    meaning: prose(`
      Reclaims the pages that are mapped in a region, as kswapd does: of whatever process they are,
      without its mmap_lock. What cannot go stays; that is no error.
    `),
    errnos: [],
    help: {
      ...memory,
      summary: 'take pages away as memory pressure does: to swap, or for good after madvise FREE',
      examples: ['reclaim a', 'reclaim 0x10000 4'],
      more: 'madvise PAGEOUT does the same with pages that this process alone maps.',
    },
    params: strict(region),
    result: nothing,
    toParams: regionOf,
    call: (params) => {
      const range = rangeAt(params);
      return (api) => api.reclaim(range);
    },
  }),
  compact: systemCall({
    meaning: prose(`
      Moves the pages that are mapped in a region to other frames, as compaction and NUMA balancing
      do: without mmap_lock. What cannot move stays; that is no error.
    `),
    errnos: [],
    help: {
      ...memory,
      summary: 'move pages to other frames, as compaction does',
      examples: ['compact a', 'compact 0x10000 4'],
    },
    params: strict(region),
    result: nothing,
    toParams: regionOf,
    call: (params) => {
      const range = rangeAt(params);
      return (api) => api.compact(range);
    },
  }),
  khugepaged: systemCall({
    meaning: prose(`
      Takes the page tables of whole blocks of a file away that are mapped in a region, as khugepaged
      does by itself: of whatever process they are. bad-range: a block is of no file, or a page of it is in use.
    `),
    errnos: ['EINVAL'],
    help: {
      ...memory,
      summary: 'take page tables of a file away, as khugepaged does',
      examples: ['khugepaged a', 'khugepaged 0x200000 512'],
      errors: { EINVAL: 'A block there is of no file, or a page of it is in use.' },
    },
    params: strict(region),
    result: nothing,
    toParams: regionOf,
    call: (params) => {
      const range = rangeAt(params);
      return (api) => api.khugepaged(range);
    },
  }),
  swapoff: systemCall({
    meaning: prose(`
      Takes all swap space out of use: what is there comes back, entry by entry, in every process.
      bad-range: none is in use; out-of-memory: some page finds no frame.
    `),
    errnos: ['EINVAL', 'ENOMEM'],
    help: {
      ...memory,
      summary: 'bring everything back from swap, and use it no more',
      examples: ['swapoff'],
      errors: {
        EINVAL: 'No swap space is in use.',
        ENOMEM: 'Some page finds no frame; swap space is in use again.',
      },
    },
    params: nothing,
    result: nothing,
    toParams: () => ({}),
    call: () => (api) => api.swapoff(),
  }),
  'uffd-register': systemCall({
    meaning: prose(`
      Registers a region with userfaultfd, for missing pages: whoever touches one waits until
      uffd-copy, uffd-zeropage or uffd-wake; a device that may not wait is refused.
    `),
    errnos: ['ENOMEM'],
    help: {
      ...faults,
      summary: 'from now on whoever touches a missing page waits for a monitor',
      examples: ['uffd-register a', 'uffd-register 0x10000 4'],
      errors: { ENOMEM: 'Too many regions that do not touch are registered.' },
      more: 'Any CPU can be the monitor. A load that waits does not block the prompt.',
    },
    params: strict(region),
    result: nothing,
    toParams: regionOf,
    call: (params) => {
      const range = rangeAt(params);
      return (api) => api['uffd-register'](range);
    },
  }),
  'uffd-unregister': systemCall({
    meaning: 'Takes a region back that was registered with userfaultfd: those who wait go on.',
    errnos: ['ENOMEM'],
    help: {
      ...faults,
      summary: 'nobody waits for a monitor there any more',
      examples: ['uffd-unregister a 4'],
      errors: { ENOMEM: 'Too many regions would be left that do not touch.' },
    },
    params: strict(region),
    result: nothing,
    toParams: regionOf,
    call: (params) => {
      const range = rangeAt(params);
      return (api) => api['uffd-unregister'](range);
    },
  }),
  'uffd-copy': systemCall({
    meaning: prose(`
      Fills a missing page that is registered, with one that begins with a u64, and wakes those who
      wait for it. not-found: the page is not registered; exists: something is mapped there.
    `),
    errnos: ['ENOENT', 'EEXIST', 'ENOMEM'],
    help: {
      ...faults,
      summary: 'as monitor: fill a missing page, and wake those who wait for it',
      examples: ['uffd-copy a 42'],
      errors: {
        ENOENT: 'That page is not registered: uffd-register it first.',
        EEXIST: 'A page is there already.',
      },
    },
    params: strict({ address: pageAddress, value: hexU64 }),
    result: nothing,
    toParams: (page: PageIndex, value: bigint) => ({
      address: hexAddress(page),
      value: hexU64Of(value),
    }),
    call: (params) => {
      const page = pageAtAddress(params.address);
      const value = BigInt(params.value);
      return (api) => api['uffd-copy'](page, value);
    },
  }),
  'uffd-zeropage': systemCall({
    meaning: 'As uffd-copy, with the zero page.',
    errnos: ['ENOENT', 'EEXIST'],
    help: {
      ...faults,
      summary: 'as monitor: map the zero page where a page is missing',
      examples: ['uffd-zeropage a'],
      errors: {
        ENOENT: 'That page is not registered: uffd-register it first.',
        EEXIST: 'A page is there already.',
      },
    },
    params: strict({ address: pageAddress }),
    result: nothing,
    toParams: (page: PageIndex) => ({ address: hexAddress(page) }),
    call: (params) => {
      const page = pageAtAddress(params.address);
      return (api) => api['uffd-zeropage'](page);
    },
  }),
  'uffd-move': systemCall({
    meaning: prose(`
      Moves pages to a place that is registered with userfaultfd and empty, without a copy, and wakes those who wait
      there. It ends at the first page that does not move. not-found: there is none; exists: something is at the new
      place; busy: others have the page, too; come-back: something has come in between; bad-range: not anonymous memory
      that may be written, not registered, or a kernel before 6.8.
    `),
    errnos: ['ENOENT', 'EEXIST', 'EBUSY', 'EAGAIN', 'EINVAL', 'EFAULT'],
    help: {
      ...faults,
      summary: 'as monitor: move pages to where they are missed',
      examples: ['uffd-move a 1 0x40000'],
      errors: {
        ENOENT: 'There is no page to move.',
        EEXIST: 'A page is at the new place already.',
        EBUSY: 'Others have the page, too, or it is pinned.',
        EAGAIN: 'Something has come in between: say it again.',
        EINVAL:
          'The new place is not registered (uffd-register), or this kernel is older than 6.8.',
      },
    },
    params: strict({ ...region, to: pageAddress }),
    result: nothing,
    toParams: (range: PageRange, to: PageIndex) => ({ ...regionOf(range), to: hexAddress(to) }),
    call: (params) => {
      const range = rangeAt(params);
      const to = pageAtAddress(params.to);
      return (api) => api['uffd-move'](range, to);
    },
  }),
  'uffd-wake': systemCall({
    meaning: 'Wakes those who wait for pages of a region: they look again.',
    errnos: [],
    help: {
      ...faults,
      summary: 'as monitor: wake those who wait for pages, filled or not',
      examples: ['uffd-wake a'],
    },
    params: strict(region),
    result: nothing,
    toParams: regionOf,
    call: (params) => {
      const range = rangeAt(params);
      return (api) => api['uffd-wake'](range);
    },
  }),
} as const satisfies { readonly [Method in keyof CpuApi]: CpuCallOf<Method> };

interface CpuCallOf<Method extends keyof CpuApi> {
  readonly params: Type.TObject;
  toParams(...args: Parameters<CpuApi[Method]>): unknown;
}

export type CpuCallName = keyof typeof CPU_CALLS;
export type CpuCallParams = {
  readonly [Name in CpuCallName]: Type.Static<(typeof CPU_CALLS)[Name]['params']>;
};

export const CPU_CALL_NAMES = Object.keys(CPU_CALLS) as CpuCallName[];

export function isCpuCall(word: string): word is CpuCallName {
  return Object.hasOwn(CPU_CALLS, word);
}

/** `params` must fit the schema of `call`. What can be worked out before the call is made is worked out here. */
export function bindCall(call: CpuCallName, params: object) {
  return CPU_CALLS[call].bind(params as never);
}

/** What a client answers that was asked for `call`, and what the recordings of real kernels say. */
export function answerToCall(call: CpuCallName, outcome: CpuOutcome) {
  if (outcome.kind === 'signal') return { signal: outcome.signal };
  if (outcome.kind === 'failed') return { errno: outcome.errno };
  if (CPU_CALLS[call].kind === 'access') {
    return outcome.value === undefined ? ({ ok: true } as const) : { value: outcome.value };
  }
  const { pages: npages } = outcome;
  return { errno: 'OK', ...(npages === undefined ? {} : { npages }) } as const;
}
