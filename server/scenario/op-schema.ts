/** The operations of programs: what a CPU thread does, and what is asked of a device. */
import { type Static, Type } from 'typebox';
import { DMIRROR_VERBS, type DmirrorVerbName } from '../../clients/drivers/dmirror/dmirror-verb.ts';
import { CPU_CALLS, type CpuCallName } from '../abi/cpu-calls.ts';
import { strict, word } from '../abi/scalars.ts';
import { type Translated, translatedFields } from '../abi/translated-fields.ts';
import { WAITED_FOR } from './waited-for.ts';

/** Pages of one operation. */
const OP_PAGES_MAX = 512;
/** Rounds of a program that repeats so many times. */
const ROUNDS_MAX = 64;

export function text(maxLength: number) {
  return Type.String({ minLength: 1, maxLength });
}

export const place = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*(\\+[0-9]{1,6})?$',
  description: 'the name of a vma, or a page of it as name+2',
});

const value = Type.Union([
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  Type.String({
    pattern: '^0x[0-9a-fA-F]{1,16}$',
    description: 'a u64 as a 0x-hexadecimal string',
  }),
]);

const register = Type.String({
  pattern: '^[A-Za-z][A-Za-z0-9_]{0,31}$',
  description: 'the name of a register: a letter, then letters, digits or _',
});

const waitedFor = Type.String({
  pattern: WAITED_FOR,
  description: 'the name of an actor, or an operation of it as cpu0 at fork (or cpu0 at store 2)',
});

const pages = Type.Optional(Type.Integer({ minimum: 1, maximum: OP_PAGES_MAX }));
const pinnedPage = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: OP_PAGES_MAX - 1,
    description: 'which page of the pin: 0 is its first',
  }),
);
const as = Type.Optional(register);

/**
 * What a scenario says in the place of a parameter: places for addresses, and only what the explorer can bear. All
 * other parameters it says as they are.
 */
const FIELDS = {
  address: { at: place },
  range: { at: place, pages },
  pages: { pages },
  to: { to: place },
  value: { value },
  /** One for all pages. */
  values: { value },
  id: { id: Type.Integer({ minimum: 0, maximum: 1_000 }) },
  /** No scenario has files. */
  kind: { kind: word('anon-private', 'anon-shared') },
  file: {},
  offset: {},
} as const;

type OpOf<Name extends string, Params extends Type.TProperties> = Static<
  Type.TObject<{ do: Type.TLiteral<Name>; as: typeof as }>
> &
  Translated<Params, typeof FIELDS>;

type CallOp = {
  [Name in CpuCallName]: OpOf<Name, (typeof CPU_CALLS)[Name]['params']['properties']>;
}[CpuCallName];
export type DeviceOp = {
  [Name in DmirrorVerbName]: OpOf<Name, (typeof DMIRROR_VERBS)[Name]['params']['properties']>;
}[DmirrorVerbName];
const OWN_OPS = [
  strict({ do: Type.Literal('oom-reap'), as }),
  strict({ do: Type.Literal('pin-read'), id: FIELDS.id.id, page: pinnedPage, as }),
  strict({ do: Type.Literal('pin-write'), id: FIELDS.id.id, page: pinnedPage, value, as }),
  strict({ do: Type.Literal('wait'), for: waitedFor }),
  strict({
    do: Type.Literal('repeat'),
    times: Type.Optional(Type.Integer({ minimum: 2, maximum: ROUNDS_MAX })),
    until: Type.Optional(waitedFor),
  }),
] as const;
/** Operations of CPUs that are no calls of a thread: no client can ask for them. */
export const LAB_OPS = ['oom-reap', 'pin-read', 'pin-write'] as const;
export type CpuOp = CallOp | Static<(typeof OWN_OPS)[number]>;
export type Op = CpuOp | DeviceOp;

function opsOf(table: { readonly [name: string]: { readonly params: Type.TObject } }) {
  return Object.entries(table).map(([name, { params }]) =>
    strict({ do: Type.Literal(name), ...translatedFields(params, FIELDS), as }),
  );
}

export const OPS: readonly Type.TObject[] = [
  ...opsOf(CPU_CALLS),
  ...OWN_OPS,
  ...opsOf(DMIRROR_VERBS),
];

export function isDeviceOp(op: Op): op is DeviceOp {
  return Object.hasOwn(DMIRROR_VERBS, op.do);
}

/** Does nothing to memory: it says when and how often the others are done. */
export function steersProgram(op: Op): boolean {
  return op.do === 'wait' || op.do === 'repeat';
}

/** What threads of the kernel do. A thread of the process may do it, too: because it needs memory, or asks for it. */
const KERNEL_OPS: readonly Op['do'][] = ['reclaim', 'compact', 'khugepaged', 'oom-reap'];

/** 'any': an operation that every kind of actor can do. */
export function kindOfOp(op: Op): 'cpu' | 'device' | 'kernel' | 'any' {
  if (steersProgram(op)) return 'any';
  if (KERNEL_OPS.includes(op.do)) return 'kernel';
  return isDeviceOp(op) ? 'device' : 'cpu';
}
