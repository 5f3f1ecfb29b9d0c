/** The operations of programs: what a CPU thread does, and what is asked of a device. */
import Type, { type Static } from 'typebox';
import { name, strict, word } from '../abi/scalars.ts';
import { WAITED_FOR } from './waited-for.ts';

/** Pages of one operation. */
const OP_PAGES_MAX = 512;

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
const as = Type.Optional(register);
const prot = word('none', 'r', 'rw');
const pin = Type.Integer({ minimum: 0, maximum: 1_000 });

export const CPU_OPS = [
  strict({ do: Type.Literal('load'), at: place, as }),
  strict({ do: Type.Literal('store'), at: place, value, as }),
  strict({
    do: Type.Literal('mmap'),
    at: place,
    pages,
    prot,
    kind: word('anon-private', 'anon-shared'),
    as,
  }),
  strict({ do: Type.Literal('munmap'), at: place, pages, as }),
  strict({ do: Type.Literal('mprotect'), at: place, pages, prot, as }),
  strict({
    do: Type.Literal('madvise'),
    at: place,
    pages,
    advice: word('DONTNEED', 'FREE', 'PAGEOUT'),
    as,
  }),
  strict({ do: Type.Literal('mremap'), at: place, pages, to: place, as }),
  strict({ do: Type.Literal('fork'), child: name, as }),
  strict({ do: Type.Literal('exit'), as }),
  strict({ do: Type.Literal('pin'), at: place, pages, id: pin, mode: word('longterm', 'get'), as }),
  strict({ do: Type.Literal('unpin'), id: pin, as }),
  strict({ do: Type.Literal('oom-reap'), as }),
  strict({ do: Type.Literal('wait'), for: waitedFor }),
] as const;

export const DEVICE_OPS = [
  strict({ do: Type.Literal('read'), at: place, pages, as }),
  strict({ do: Type.Literal('write'), at: place, pages, value, as }),
  strict({ do: Type.Literal('migrate-to-dev'), at: place, pages, as }),
  strict({ do: Type.Literal('migrate-to-sys'), at: place, pages, as }),
  strict({ do: Type.Literal('snapshot'), at: place, pages, as }),
  strict({ do: Type.Literal('exclusive'), at: place, pages, as }),
  strict({ do: Type.Literal('check-exclusive'), at: place, pages, as }),
  strict({ do: Type.Literal('fault-read'), at: place, pages, as }),
  strict({ do: Type.Literal('fault-write'), at: place, pages, as }),
  strict({ do: Type.Literal('prefetch'), at: place, pages, as }),
  strict({ do: Type.Literal('read-mapped'), at: place, pages, as }),
  strict({ do: Type.Literal('migrate'), at: place, pages, as }),
  strict({ do: Type.Literal('collect'), at: place, pages, as }),
  strict({ do: Type.Literal('release'), as }),
] as const;

export type CpuOp = Static<(typeof CPU_OPS)[number]>;
export type DeviceOp = Static<(typeof DEVICE_OPS)[number]>;
export type Op = CpuOp | DeviceOp;

/** 'any': an operation that every kind of actor can do. */
export function kindOfOp(op: Op): 'cpu' | 'device' | 'any' {
  if (op.do === 'wait') return 'any';
  return DEVICE_OPS.some((schema) => schema.properties.do.const === op.do) ? 'device' : 'cpu';
}
