import type Type from 'typebox';

/**
 * One method of the wire. `params` and `result` are the schemas; `sends` and `answers` say whether the request
 * or its answer carries page contents (a binary frame, see binary-frame.ts). `subject` is the part of the
 * request that a failure of the kernel function is about, as a path.
 */
export interface RequestSpec {
  readonly params: Type.TSchema;
  readonly result: Type.TSchema;
  readonly sends: 'no-pages' | 'pages';
  readonly answers: 'no-pages' | 'pages';
  readonly subject: string;
}

export interface NotificationSpec {
  readonly params: Type.TSchema;
  readonly sends: 'no-pages' | 'pages';
}

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
