/**
 * The record format of golden traces: programs of memory operations with the results and the states
 * that a real kernel gave. The operations and what they return; the state that follows them is in
 * trace-state.ts.
 *
 * Strict: a field too many is refused as is one too few, so that a trace that we do not understand
 * never passes.
 */
import { Type } from 'typebox';
import {
  DMIRROR_VERBS,
  type DmirrorVerbName,
} from '../../../clients/drivers/dmirror/dmirror-verb.ts';
import { CPU_CALL_NAMES, CPU_CALLS, type CpuCallName } from '../../abi/cpu-calls.ts';
import { RANGE_PAGES_MAX } from '../../abi/limits.ts';
import { pageAddress, strict, u64s, word } from '../../abi/scalars.ts';
import { type Translated, translatedFields } from '../../abi/translated-fields.ts';
import { ERRNO_NUMBER, type Errno } from '../../vocabulary/errno.ts';

/** Devices of a trace. */
export const TRACE_DEVICES = 2;
/** Files of a trace, and pages by which a mapping may be offset into one. */
export const TRACE_FILES = 2;
const FILE_OFFSET_MAX = 4096;
const PIN_ID_MAX = 1_000_000;

const dev = Type.Integer({ minimum: 0, maximum: TRACE_DEVICES - 1 });
const pages = Type.Integer({ minimum: 1, maximum: RANGE_PAGES_MAX });

/**
 * What a trace says in the place of a parameter of the tables of calls and verbs, and within which bounds. All other
 * parameters it says as they are.
 */
const FIELDS = {
  address: { addr: pageAddress },
  range: { addr: pageAddress, pages },
  pages: { pages },
  id: { id: Type.Integer({ minimum: 0, maximum: PIN_ID_MAX }) },
  file: { file: Type.Optional(Type.Integer({ minimum: 0, maximum: TRACE_FILES - 1 })) },
  offset: { off: Type.Optional(Type.Integer({ minimum: 0, maximum: FILE_OFFSET_MAX })) },
  /** A child has one name. */
  child: {},
} as const;

/** Calls of which a trace says who makes them. All others are made by `cpu0`. */
const ACTORS = {
  load: word('cpu0', 'cpu1'),
  store: word('cpu0', 'cpu1'),
  exit: word('cpu1'),
} as const;

/** Verbs of a device, by their names in a trace. */
export const TRACE_VERBS = {
  'dev-read': 'read',
  'dev-write': 'write',
  'migrate-to-dev': 'migrate-to-dev',
  'migrate-to-sys': 'migrate-to-sys',
  snapshot: 'snapshot',
  exclusive: 'exclusive',
  'check-exclusive': 'check-exclusive',
  release: 'release',
} as const satisfies { readonly [op: string]: DmirrorVerbName };
type TraceVerbName = keyof typeof TRACE_VERBS;

export type OpName = CpuCallName | TraceVerbName;

function callArguments(call: CpuCallName): Type.TObject {
  const fields = translatedFields(CPU_CALLS[call].params, FIELDS);
  return strict(
    call in ACTORS ? { actor: ACTORS[call as keyof typeof ACTORS], ...fields } : fields,
  );
}

function verbArguments(name: TraceVerbName): Type.TObject {
  const verb = TRACE_VERBS[name];
  const fields = translatedFields(DMIRROR_VERBS[verb].params, FIELDS);
  // As many pages as values.
  if (verb === 'write') delete fields.pages;
  return strict({ dev, ...fields });
}

/** The arguments of each operation, without its name. */
export const OP_ARGUMENTS: { readonly [Name in OpName]: Type.TObject } = Object.fromEntries([
  ...CPU_CALL_NAMES.map((call) => [call, callArguments(call)]),
  ...(Object.keys(TRACE_VERBS) as TraceVerbName[]).map((name) => [name, verbArguments(name)]),
]);

type CallOp<Name extends CpuCallName> = { readonly op: Name } & Translated<
  (typeof CPU_CALLS)[Name]['params']['properties'],
  typeof FIELDS
> &
  (Name extends keyof typeof ACTORS
    ? { readonly actor: Type.Static<(typeof ACTORS)[Name]> }
    : unknown);
/** An operation as a trace gives it: its name and its arguments. */
export type TraceOp =
  | { [Name in CpuCallName]: CallOp<Name> }[CpuCallName]
  | { readonly op: 'release'; readonly dev: number }
  | {
      readonly op: 'dev-write';
      readonly dev: number;
      readonly addr: string;
      readonly values: readonly string[];
    }
  | {
      readonly op: Exclude<TraceVerbName, 'dev-write' | 'release'>;
      readonly dev: number;
      readonly addr: string;
      readonly pages: number;
    };

const failed = strict({ errno: word(...(Object.keys(ERRNO_NUMBER) as Errno[])) });
const done = { errno: word('OK') };
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const signalled = strict({ signal: word('SIGSEGV', 'SIGBUS') });
const snapshotName = Type.String({
  pattern: '^(none|error|((zero|dev-private-local)\\+)?(read|write)(\\+pmd)?)$',
  description: 'the name of a snapshot entry such as none, error, read, write or zero+read',
});
const bare = { succeeded: strict(done), failed };
const copied = { succeeded: strict({ ...done, values: u64s, cpages: count }), failed };

const VERB_RESULTS: { readonly [Name in TraceVerbName]: ResultSchemas } = {
  'dev-read': {
    succeeded: strict({ ...done, values: u64s, cpages: count, faults: count }),
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
};

/** As answerOf() makes them. */
function callResults(call: CpuCallName): ResultSchemas {
  const { kind, result } = CPU_CALLS[call];
  if (kind === 'access') {
    const ok = 'value' in result.properties ? result : strict({ ok: Type.Literal(true) });
    return { succeeded: ok, failed: signalled };
  }
  return 'pinned' in result.properties
    ? { succeeded: strict({ ...done, npages: count }), failed }
    : bare;
}

/** What each operation returns: if it succeeded, and if it failed (by an errno or a signal). */
export const OP_RESULTS: { readonly [Name in OpName]: ResultSchemas } = Object.fromEntries([
  ...CPU_CALL_NAMES.map((call) => [call, callResults(call)]),
  ...Object.entries(VERB_RESULTS),
]);

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
