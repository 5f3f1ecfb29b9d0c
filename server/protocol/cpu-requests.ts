/** What a CPU client may ask: CpuApi (cpu-api.ts), method by method. Addresses are byte addresses. */
import Type from 'typebox';
import { PAGES_MAX } from '../vocabulary/address.ts';
import type { ParamsOf, RequestTable, ResultsOf } from './request-spec.ts';
import { hexU64, name, nothing, pageAddress, strict, word, wordAddress } from './wire-values.ts';

const signal = strict({ signal: word('SIGSEGV', 'SIGBUS') });
const prot = word('none', 'r', 'rw');
const pages = Type.Integer({ minimum: 1, maximum: PAGES_MAX });
const region = { address: pageAddress, pages };
const pinId = Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 });
const bare = { sends: 'no-pages', answers: 'no-pages' } as const;

export const CPU_REQUESTS = {
  /** The u64 at `address`, or the signal that the access raised. */
  load: {
    ...bare,
    params: strict({ address: wordAddress }),
    result: Type.Union([strict({ value: hexU64 }), signal]),
    subject: 'params.address',
  },
  store: {
    ...bare,
    params: strict({ address: wordAddress, value: hexU64 }),
    result: Type.Union([nothing, signal]),
    subject: 'params.address',
  },
  mmap: {
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
  munmap: { ...bare, params: strict(region), result: nothing, subject: 'params.address' },
  mprotect: {
    ...bare,
    params: strict({ ...region, prot }),
    result: nothing,
    subject: 'params.address',
  },
  madvise: {
    ...bare,
    params: strict({ ...region, advice: word('DONTNEED', 'FREE', 'PAGEOUT') }),
    result: nothing,
    subject: 'params.address',
  },
  mremap: {
    ...bare,
    params: strict({ ...region, to: pageAddress }),
    result: nothing,
    subject: 'params.address',
  },
  fork: { ...bare, params: strict({ child: name }), result: nothing, subject: 'params.child' },
  exit: { ...bare, params: nothing, result: nothing, subject: 'params' },
  pin: {
    ...bare,
    params: strict({ ...region, id: pinId, mode: word('longterm', 'get') }),
    result: strict({ pinned: Type.Integer({ minimum: 0 }) }),
    subject: 'params.address',
  },
  unpin: { ...bare, params: strict({ id: pinId }), result: nothing, subject: 'params.id' },
} as const satisfies RequestTable;

export type CpuMethod = keyof typeof CPU_REQUESTS;
export type CpuParams = ParamsOf<typeof CPU_REQUESTS>;
export type CpuResults = ResultsOf<typeof CPU_REQUESTS>;
