/** What a CPU client may ask: CpuApi (cpu-api.ts), method by method. Addresses are byte addresses. */
import Type from 'typebox';
import { prose } from '../abi/prose.ts';
import { hexU64, name, nothing, pageAddress, strict, word, wordAddress } from '../abi/scalars.ts';
import { PAGES_MAX } from '../vocabulary/address.ts';
import type { ParamsOf, RequestTable, ResultsOf } from './request-spec.ts';

const signal = strict({ signal: word('SIGSEGV', 'SIGBUS') });
const prot = word('none', 'r', 'rw');
const pages = Type.Integer({ minimum: 1, maximum: PAGES_MAX });
const region = { address: pageAddress, pages };
const pinId = Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 });
const bare = { sends: 'no-pages', answers: 'no-pages' } as const;

export const CPU_REQUESTS = {
  load: {
    meaning: prose(`
      Loads the u64 at an address, through this thread's TLB and the page table, with the faults
      that this takes; or the signal that the access raised.
    `),
    errors: [],
    ...bare,
    params: strict({ address: wordAddress }),
    result: Type.Union([strict({ value: hexU64 }), signal]),
    subject: 'params.address',
  },
  store: {
    meaning: 'Stores a u64, as load.',
    errors: [],
    ...bare,
    params: strict({ address: wordAddress, value: hexU64 }),
    result: Type.Union([nothing, signal]),
    subject: 'params.address',
  },
  mmap: {
    meaning: prose(`
      Maps fresh memory: MAP_FIXED_NOREPLACE. file (which of 64 files) and offset are for the file
      kinds.
    `),
    errors: ['exists', 'bad-range'],
    ...bare,
    params: strict({
      ...region,
      prot,
      kind: word('anon-private', 'anon-shared', 'file-private', 'file-shared'),
      file: Type.Optional(Type.Integer({ minimum: 0, maximum: 63 })),
      offset: Type.Optional(Type.Integer({ minimum: 0, maximum: PAGES_MAX, description: 'pages' })),
    }),
    result: nothing,
    subject: 'params.address',
  },
  munmap: {
    meaning: 'Unmaps a region. Holes are no error.',
    errors: [],
    ...bare,
    params: strict(region),
    result: nothing,
    subject: 'params.address',
  },
  mprotect: {
    meaning: prose(`
      Changes the protection of a region. out-of-memory: a part is not mapped; the part before it
      was changed.
    `),
    errors: ['out-of-memory'],
    ...bare,
    params: strict({ ...region, prot }),
    result: nothing,
    subject: 'params.address',
  },
  madvise: {
    meaning: prose(`
      DONTNEED drops the pages, FREE marks them to be dropped, PAGEOUT swaps them out.
      out-of-memory: a part is not mapped; the mapped parts were handled.
    `),
    errors: ['out-of-memory', 'bad-range'],
    ...bare,
    params: strict({ ...region, advice: word('DONTNEED', 'FREE', 'PAGEOUT') }),
    result: nothing,
    subject: 'params.address',
  },
  mremap: {
    meaning: 'Moves a region to another place: MREMAP_MAYMOVE|MREMAP_FIXED with the same size.',
    errors: ['bad-address', 'bad-range'],
    ...bare,
    params: strict({ ...region, to: pageAddress }),
    result: nothing,
    subject: 'params.address',
  },
  fork: {
    meaning: prose(`
      Makes a child with a copy of the address space. Its thread is entered by a hello with the
      child's name and role cpu. come-back: the machine has had as many address spaces as it has
      numbers for.
    `),
    errors: ['bad-range', 'come-back'],
    ...bare,
    params: strict({ child: name }),
    result: nothing,
    subject: 'params.child',
  },
  exit: {
    meaning: prose(`
      Ends the process of this thread, which must be a forked child: its address space is torn
      down, its devices are asked release. All clients share the first process, so it stays.
    `),
    errors: ['not-permitted', 'bad-range'],
    ...bare,
    params: nothing,
    result: nothing,
    subject: 'params',
  },
  pin: {
    meaning: prose(`
      Takes references on the pages of a region, under a number of the caller's. longterm:
      FOLL_LONGTERM|FOLL_PIN|FOLL_WRITE, all pages or none; get: FOLL_GET for reading, as many as
      there are.
    `),
    errors: ['bad-address', 'bad-range'],
    ...bare,
    params: strict({ ...region, id: pinId, mode: word('longterm', 'get') }),
    result: strict({ pinned: Type.Integer({ minimum: 0 }) }),
    subject: 'params.address',
  },
  unpin: {
    meaning: 'Gives back what pin took under this number.',
    errors: ['bad-range'],
    ...bare,
    params: strict({ id: pinId }),
    result: nothing,
    subject: 'params.id',
  },
} as const satisfies RequestTable;

export type CpuMethod = keyof typeof CPU_REQUESTS;
export type CpuParams = ParamsOf<typeof CPU_REQUESTS>;
export type CpuResults = ResultsOf<typeof CPU_REQUESTS>;
