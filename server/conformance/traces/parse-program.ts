/** One line of a trace file, checked field by field: whatever passes here needs no second look. */
import { Type } from 'typebox';
import { strict } from '../../abi/scalars.ts';
import { explain, type Mismatch } from '../../protocol/explain.ts';
import { PAGE_SIZE, TASK_SIZE } from '../../vocabulary/address.ts';
import {
  isOpName,
  OP_ARGUMENTS,
  OP_RESULTS,
  type OpName,
  type OpResult,
  type TraceOp,
} from './trace-format.ts';
import {
  parseAddress,
  stateMismatch,
  type TraceState,
  type TraceVmas,
  vmasMismatch,
} from './trace-state.ts';

/** An operation, what the real kernel answered, and what followed. */
export interface TraceStep {
  readonly op: TraceOp;
  readonly result: OpResult;
  readonly state: TraceState;
  /** The mapping lists; 'unchanged' since the step before. */
  readonly vmas: TraceVmas | 'unchanged';
}

export interface TraceProgram {
  readonly id: string;
  readonly set: string;
  readonly seed: number;
  readonly steps: readonly TraceStep[];
}

/** Characters of an id; a longer one is refused. */
const ID_CHARS_MAX = 256;
/** Operations of one program. */
export const OPS_MAX = 100_000;

const programHead = strict({
  id: Type.String({ minLength: 1, maxLength: ID_CHARS_MAX }),
  set: Type.String({ minLength: 1, maxLength: ID_CHARS_MAX }),
  seed: Type.Integer({ minimum: 0 }),
  ops: Type.Array(Type.Unknown(), { minItems: 1, maxItems: OPS_MAX }),
});

/** Returns: the program; or what is wrong with `text`, as a path and the end of "expected ...". */
export function parseProgram(text: string): TraceProgram | Mismatch {
  const json = parseJson(text);
  if (json === NOT_JSON) return { path: 'program', bound: 'a JSON object on one line' };
  const found = explain(programHead, json, '');
  if (found !== 'none') return found.path === '' ? { ...found, path: 'program' } : found;
  const { id, set, seed, ops } = json as {
    readonly id: string;
    readonly set: string;
    readonly seed: number;
    readonly ops: readonly unknown[];
  };
  const steps: TraceStep[] = [];
  for (const [at, record] of ops.entries()) {
    const step = parseStep(record, `ops[${at}]`);
    if (isMismatch(step)) return step;
    steps.push(step);
  }
  return { id, set, seed, steps };
}

export function isMismatch(parsed: object): parsed is Mismatch {
  return Object.hasOwn(parsed, 'bound');
}

function parseStep(record: unknown, path: string): TraceStep | Mismatch {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    return { path, bound: 'an object with op, its arguments, result and state' };
  }
  const {
    op: name,
    result,
    state,
    vmas,
    ...args
  } = record as { readonly [field: string]: unknown };
  if (!isOpName(name)) {
    return { path: `${path}.op`, bound: `one of ${Object.keys(OP_ARGUMENTS).join(', ')}` };
  }
  const found = [
    () => explain(OP_ARGUMENTS[name], args, path),
    () => argumentsMismatch(name, args, path),
    () => resultMismatch(name, result, `${path}.result`),
    () => stateMismatch(state, `${path}.state`),
    () => (vmas === undefined ? 'none' : vmasMismatch(vmas, `${path}.vmas`)),
  ];
  for (const check of found) {
    const mismatch = check();
    if (mismatch !== 'none') return mismatch;
  }
  return {
    op: { op: name, ...args } as TraceOp,
    result: result as OpResult,
    state: state as TraceState,
    vmas: vmas === undefined ? 'unchanged' : (vmas as TraceVmas),
  };
}

/** What a schema of single fields cannot say. `args` fits the schema of `name`. */
export function argumentsMismatch(
  name: OpName,
  args: { readonly [field: string]: unknown },
  path: string,
): Mismatch | 'none' {
  const { addr, to, pages, values, kind, file, off } = args as {
    readonly addr?: string;
    readonly to?: string;
    readonly pages?: number;
    readonly values?: readonly string[];
    readonly kind?: string;
    readonly file?: number;
    readonly off?: number;
  };
  const bytes = (pages ?? values?.length ?? 1) * PAGE_SIZE;
  for (const [field, start] of Object.entries({ addr, to })) {
    if (start !== undefined && parseAddress(start) + bytes > TASK_SIZE) {
      return { path: `${path}.${field}`, bound: 'a range that ends by 0x800000000000' };
    }
  }
  if (name !== 'mmap') return 'none';
  const ofFile = kind === 'file-private' || kind === 'file-shared';
  for (const [field, value] of Object.entries({ file, off })) {
    if (ofFile && value === undefined) {
      return { path: `${path}.${field}`, bound: `a whole number with kind ${kind}` };
    }
    if (!ofFile && value !== undefined) {
      return { path: `${path}.${field}`, bound: `no field of this name with kind ${kind}` };
    }
  }
  return 'none';
}

function resultMismatch(name: OpName, result: unknown, path: string): Mismatch | 'none' {
  const schemas = OP_RESULTS[name];
  const failed =
    typeof result === 'object' &&
    result !== null &&
    (Object.hasOwn(result, 'signal') ||
      (Object.hasOwn(result, 'errno') && (result as { errno: unknown }).errno !== 'OK'));
  return explain(failed ? schemas.failed : schemas.succeeded, result, path);
}

const NOT_JSON = Symbol('not JSON');

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return NOT_JSON;
  }
}
