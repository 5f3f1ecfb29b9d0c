import type { Type } from 'typebox';
import type { ErrorCodeName } from './error-codes.ts';

/**
 * One method of the wire. `meaning` is what the documents say of it. `params` and `result` are the schemas;
 * `sends` and `answers` say whether the request or its answer carries page contents (a binary frame, see
 * binary-frame.ts). `subject` is the part of the request that a failure of the kernel function is about, as a path.
 */
export interface RequestSpec {
  readonly meaning: string;
  readonly params: Type.TSchema;
  readonly result: Type.TSchema;
  readonly sends: 'no-pages' | 'pages';
  readonly answers: 'no-pages' | 'pages';
  readonly subject: string;
  /** How it can be refused, besides by REFUSALS_OF_ANY_REQUEST. Empty for questions: those a client answers. */
  readonly errors: readonly ErrorCodeName[];
}

export interface NotificationSpec {
  readonly meaning: string;
  readonly params: Type.TSchema;
  readonly sends: 'no-pages' | 'pages';
}

/** Refusals that say nothing about the method: of its frame, of its session, or of its params against the schema. */
export const REFUSALS_OF_ANY_REQUEST = [
  'bad-envelope',
  'unknown-method',
  'wrong-role',
  'hello-twice',
  'bad-params',
  'wrong-page-count',
  'id-in-use',
  'too-many-requests',
  'over-limit',
  'fenced',
  'lab-reset',
  'kernel-failed',
] as const satisfies readonly ErrorCodeName[];

export interface RequestTable {
  readonly [method: string]: RequestSpec;
}
export interface NotificationTable {
  readonly [method: string]: NotificationSpec;
}

/** The params of each method of a table, as types. */
export type ParamsOf<
  Table extends { readonly [method: string]: { readonly params: Type.TSchema } },
> = {
  readonly [Method in keyof Table]: Type.Static<Table[Method]['params']>;
};
/** The results of each method of a table, as types. */
export type ResultsOf<Table extends RequestTable> = {
  readonly [Method in keyof Table]: Type.Static<Table[Method]['result']>;
};
