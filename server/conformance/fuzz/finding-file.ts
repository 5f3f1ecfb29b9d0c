/** A finding as a file: a program, the driver and patches it needs, a schedule that shows it, and its story. */
import { Type } from 'typebox';
import { FIRST_KERNEL, KERNEL_IDS, type KernelId } from '../../abi/kernel-ids.ts';
import { strict, word } from '../../abi/scalars.ts';
import { explain, type Mismatch } from '../../protocol/explain.ts';
import { argumentsMismatch } from '../traces/parse-program.ts';
import { isOpName, OP_ARGUMENTS, type TraceOp } from '../traces/trace-format.ts';
import { type DriverName, FUZZ_DRIVERS } from './device-world.ts';
import {
  FUZZ_SETS,
  type FuzzOp,
  type FuzzProgram,
  type FuzzStep,
  fuzzActorOf,
  STEP_OPS_MAX,
} from './fuzz-program.ts';
import type { Finding } from './run-fuzz-program.ts';

export const FINDING_FORMAT = 'mmrace-finding-1';

export interface FindingFile {
  /** The story, for a reader of the file. */
  readonly about: readonly string[];
  readonly driver: DriverName;
  /** FIRST_KERNEL in a file that names none. */
  readonly kernel: KernelId;
  /** The patches that the kernel ran with: ids of those that ship, paths of files. */
  readonly patches: readonly string[];
  readonly program: FuzzProgram;
  /** The seed of a schedule under which it was seen. */
  readonly schedule: number;
  readonly finding: Finding;
}

const STEPS_MAX = 10_000;
const text = Type.String({ maxLength: 10_000 });
const whole = Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 });

const fileHead = strict({
  format: word(FINDING_FORMAT),
  about: Type.Array(text),
  driver: word(...(Object.keys(FUZZ_DRIVERS) as DriverName[])),
  kernel: Type.Optional(word(...KERNEL_IDS)),
  patches: Type.Array(text),
  set: word(...FUZZ_SETS),
  schedule: whole,
  finding: strict({ rule: text, text, step: whole }),
  steps: Type.Array(Type.Array(Type.Unknown(), { minItems: 1, maxItems: STEP_OPS_MAX }), {
    minItems: 1,
    maxItems: STEPS_MAX,
  }),
});
const thread = word('first', 'second');

/** Ends with a newline. One step a line, one operation a line within it. */
export function printFindingFile(file: FindingFile): string {
  const { about, driver, kernel, patches, program, schedule, finding } = file;
  const head = {
    format: FINDING_FORMAT,
    about,
    driver,
    kernel,
    patches,
    set: program.set,
    schedule,
    finding,
  };
  const steps = program.steps.map((step) => {
    const ops = step.map(({ op, thread: by }) => JSON.stringify({ ...op, thread: by }));
    return `    [\n      ${ops.join(',\n      ')}\n    ]`;
  });
  const body = JSON.stringify(head, null, 2).slice(0, -2);
  return `${body},\n  "steps": [\n${steps.join(',\n')}\n  ]\n}\n`;
}

/** Returns: the finding; or what is wrong with `json`, as a path and the end of "expected ...". */
export function parseFindingFile(json: unknown): FindingFile | Mismatch {
  const found = explain(fileHead, json, '');
  if (found !== 'none') return { ...found, path: found.path === '' ? 'file' : found.path };
  const head = json as Type.Static<typeof fileHead>;
  const { about, driver, kernel = FIRST_KERNEL, patches, set, schedule, finding, steps } = head;
  const parsed: FuzzStep[] = [];
  for (const [at, step] of steps.entries()) {
    const ops = parseStep(step, `steps[${at}]`);
    if ('bound' in ops) return ops;
    parsed.push(ops);
  }
  return { about, driver, kernel, patches, schedule, finding, program: { set, steps: parsed } };
}

function parseStep(records: readonly unknown[], path: string): FuzzStep | Mismatch {
  const ops: FuzzOp[] = [];
  for (const [at, record] of records.entries()) {
    const op = parseOp(record, `${path}[${at}]`);
    if ('bound' in op) return op;
    if (ops.some((other) => fuzzActorOf(other) === fuzzActorOf(op))) {
      return { path: `${path}[${at}]`, bound: 'an actor that does nothing else in this step' };
    }
    ops.push(op);
  }
  return ops;
}

function parseOp(record: unknown, path: string): FuzzOp | Mismatch {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    return { path, bound: 'an object with op, its arguments and thread' };
  }
  const { op: name, thread: by, ...args } = record as { readonly [field: string]: unknown };
  if (!isOpName(name)) {
    return { path: `${path}.op`, bound: `one of ${Object.keys(OP_ARGUMENTS).join(', ')}` };
  }
  const checks = [
    () => explain(OP_ARGUMENTS[name], args, path),
    () => argumentsMismatch(name, args, path),
    () => explain(thread, by, `${path}.thread`),
  ];
  for (const check of checks) {
    const mismatch = check();
    if (mismatch !== 'none') return mismatch;
  }
  return { op: { op: name, ...args } as TraceOp, thread: by === 'second' ? 'second' : 'first' };
}
