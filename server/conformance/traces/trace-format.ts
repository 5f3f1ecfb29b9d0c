/**
 * The record format of golden traces: programs of memory operations with the results and the states
 * that a real kernel gave. The operations and what they return; the state that follows them is in
 * trace-state.ts.
 *
 * Strict: a field too many is refused as is one too few, so that a trace that we do not understand
 * never passes.
 */
import Type from 'typebox';
import { RANGE_PAGES_MAX } from '../../abi/limits.ts';
import { hexU64, pageAddress, strict, word } from '../../abi/scalars.ts';
import { ERRNO_NUMBER, type Errno } from '../../vocabulary/errno.ts';

/** Devices of a trace. */
export const TRACE_DEVICES = 2;
/** Files of a trace, and pages by which a mapping may be offset into one. */
export const TRACE_FILES = 2;
const FILE_OFFSET_MAX = 4096;
const PIN_ID_MAX = 1_000_000;

const addr = pageAddress;
const pages = Type.Integer({ minimum: 1, maximum: RANGE_PAGES_MAX });
const dev = Type.Integer({ minimum: 0, maximum: TRACE_DEVICES - 1 });
const actor = word('cpu0', 'cpu1');
const prot = word('none', 'r', 'rw');
const id = Type.Integer({ minimum: 0, maximum: PIN_ID_MAX });
const values = Type.Array(hexU64, { minItems: 1, maxItems: RANGE_PAGES_MAX });

const onDevicePages = { dev, addr, pages };
const file = Type.Integer({ minimum: 0, maximum: TRACE_FILES - 1 });
const off = Type.Integer({ minimum: 0, maximum: FILE_OFFSET_MAX });

/** The arguments of each operation, without its name. */
export const OP_ARGUMENTS = {
  mmap: strict({
    addr,
    pages,
    prot,
    kind: word('anon-private', 'anon-shared', 'file-private', 'file-shared'),
    file: Type.Optional(file),
    off: Type.Optional(off),
  }),
  munmap: strict({ addr, pages }),
  mprotect: strict({ addr, pages, prot }),
  madvise: strict({ addr, pages, advice: word('DONTNEED', 'FREE', 'PAGEOUT') }),
  mremap: strict({ addr, pages, to: addr }),
  load: strict({ actor, addr }),
  store: strict({ actor, addr, value: hexU64 }),
  fork: strict({}),
  exit: strict({ actor: word('cpu1') }),
  pin: strict({ id, addr, pages, mode: word('longterm', 'get') }),
  unpin: strict({ id }),
  'dev-read': strict(onDevicePages),
  'dev-write': strict({ dev, addr, values }),
  'migrate-to-dev': strict(onDevicePages),
  'migrate-to-sys': strict(onDevicePages),
  snapshot: strict(onDevicePages),
  exclusive: strict(onDevicePages),
  'check-exclusive': strict(onDevicePages),
  release: strict({ dev }),
} as const;

export type OpName = keyof typeof OP_ARGUMENTS;

/** An operation as a trace gives it: its name and its arguments. */
export type TraceOp = {
  readonly [Name in OpName]: { readonly op: Name } & Readonly<
    Type.Static<(typeof OP_ARGUMENTS)[Name]>
  >;
}[OpName];

const failed = strict({ errno: word(...(Object.keys(ERRNO_NUMBER) as Errno[])) });
const done = { errno: word('OK') };
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const signalled = strict({ signal: word('SIGSEGV', 'SIGBUS') });
const snapshotName = Type.String({
  pattern: '^(none|error|((zero|dev-private-local)\\+)?(read|write)(\\+pmd)?)$',
  description: 'the name of a snapshot entry such as none, error, read, write or zero+read',
});
const bare = { succeeded: strict(done), failed };
const copied = { succeeded: strict({ ...done, values, cpages: count }), failed };

/** What each operation returns: if it succeeded, and if it failed (by an errno or a signal). */
export const OP_RESULTS = {
  mmap: bare,
  munmap: bare,
  mprotect: bare,
  madvise: bare,
  mremap: bare,
  load: { succeeded: strict({ value: hexU64 }), failed: signalled },
  store: { succeeded: strict({ ok: Type.Literal(true) }), failed: signalled },
  fork: bare,
  exit: bare,
  pin: { succeeded: strict({ ...done, npages: count }), failed },
  unpin: bare,
  'dev-read': {
    succeeded: strict({ ...done, values, cpages: count, faults: count }),
    failed,
  },
  'dev-write': { succeeded: strict({ ...done, cpages: count, faults: count }), failed },
  'migrate-to-dev': copied,
  'migrate-to-sys': { succeeded: strict({ ...done, cpages: count }), failed },
  snapshot: {
    succeeded: strict({ ...done, prot: Type.Array(snapshotName, { minItems: 1 }) }),
    failed,
  },
  exclusive: copied,
  'check-exclusive': bare,
  release: bare,
} as const satisfies { readonly [Name in OpName]: ResultSchemas };

interface ResultSchemas {
  readonly succeeded: Type.TSchema;
  readonly failed: Type.TSchema;
}

/** What an operation returned. Which fields there are depends on the operation: see OP_RESULTS. */
export interface OpResult {
  readonly errno?: Errno | 'OK';
  readonly ok?: true;
  readonly value?: string;
  readonly signal?: 'SIGSEGV' | 'SIGBUS';
  readonly values?: readonly string[];
  readonly cpages?: number;
  readonly faults?: number;
  readonly npages?: number;
  readonly prot?: readonly string[];
}

export function isOpName(name: unknown): name is OpName {
  return typeof name === 'string' && Object.hasOwn(OP_ARGUMENTS, name);
}
