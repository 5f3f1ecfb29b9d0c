/**
 * Where the steps of the model are in the text of a kernel: a call in a function, as data for each version. Only points
 * at which a thread is held need a place.
 */
import { readFileSync } from 'node:fs';
import { Type } from 'typebox';
import { parse } from 'yaml';
import { strict } from '../abi/scalars.ts';
import type { CallLeftOut, Patch } from '../patches/patch.ts';
import { compileCheck } from '../protocol/validators.ts';
import { BadInput } from '../vocabulary/bad-input.ts';
import { asset } from './asset.ts';
import { BUILT_VERSIONS, type BuiltVersion } from './kernel-cache.ts';

const name = Type.String({ minLength: 1, maxLength: 100 });

/** 'forked': there in a forked process alone, which has no notifiers, and not at the other places of the point. */
const process = Type.Optional(Type.Literal('forked'));

/** The first byte of a function; or a call in one: before it, unless said. */
const Point = Type.Union([
  strict({ entry: name, process }),
  strict({
    process,
    in: name,
    call: name,
    /** Of several calls of the same function, in the order of the text, from 1. */
    nth: Type.Optional(Type.Integer({ minimum: 1 })),
    after: Type.Optional(Type.Boolean()),
  }),
]);
export type Point = Type.Static<typeof Point>;

/** CallLeftOut. */
const LeftOut = strict({
  function: name,
  call: name,
  returns: Type.Optional(Type.Integer({ minimum: 0, maximum: 0x7fffffff })),
  nth: Type.Optional(Type.Integer({ minimum: 1 })),
});
const CHECK_CALLS = compileCheck(Type.Array(LeftOut));

const Table = strict({
  /** Where a point is in several functions, a thread is held at the first that it comes to. */
  points: Type.Record(Type.String(), Type.Array(Point, { minItems: 1 })),
  /** Patches that are calls left out. */
  patches: Type.Record(Type.String(), Type.Array(LeftOut)),
  /** Scenarios whose failure leaves nothing that a program could read, and why. */
  unseen: Type.Record(Type.String(), Type.String()),
});

export interface PointTable {
  /** Of the kernel. */
  readonly version: string;
  readonly points: ReadonlyMap<string, readonly Point[]>;
  readonly patches: ReadonlyMap<string, readonly CallLeftOut[]>;
  readonly unseen: ReadonlyMap<string, string>;
}

const CHECK = compileCheck(Table);
/** That have a table. */
const VERSIONS: readonly BuiltVersion[] = BUILT_VERSIONS;

/** 'none' for a version that has no table. Throws: RangeError where the table is not well formed. */
export function pointTable(version: string): PointTable | 'none' {
  if (!VERSIONS.includes(version as BuiltVersion)) return 'none';
  const path = asset(`points/${version}.yaml`);
  const table: unknown = parse(readFileSync(path, 'utf8'));
  if (!CHECK.accepts(table)) throw new RangeError(`${path}: not a table of points`);
  const { points, patches, unseen } = table as Type.Static<typeof Table>;
  return {
    version,
    points: new Map(Object.entries(points)),
    patches: new Map(Object.entries(patches)),
    unseen: new Map(Object.entries(unseen)),
  };
}

/** What of a patch of the user's own is said of the kernel's text; 'none' if nothing. Throws: BadInput. */
export function callsOfPatch(
  { id, onLinux }: Patch,
  version: string,
): readonly CallLeftOut[] | 'none' {
  const calls = onLinux?.[version];
  if (calls === undefined) return 'none';
  if (CHECK_CALLS.accepts(calls)) return calls;
  throw new BadInput(
    `${id}: onLinux ${version}: expected a list of { function, call, returns?, nth? }`,
  );
}
