/** The schemas that the documents explain once, in this order, and then only name. Each has a title. */
import type { Type } from 'typebox';
import { Event, MirrorView, PteView } from '../abi/event.ts';
import {
  hexU64,
  name,
  named,
  page,
  pageAddress,
  range,
  shortRange,
  wordAddress,
} from '../abi/scalars.ts';
import { ClientMoment } from '../protocol/client-moment.ts';
import { mirrorEntryValue } from '../protocol/client-notifications.ts';
import { ErrorData, RpcError } from '../protocol/envelope.ts';
import { LabControl, TaskEntry } from '../protocol/lab-control.ts';
import { LabSnapshot } from '../protocol/lab-snapshot.ts';
import {
  frame,
  frameOrNone,
  handle,
  hmmPfnValue,
  migratePfnValue,
  mm,
  notifierSeq,
  pageCountInCall,
  sequence,
} from '../protocol/wire-values.ts';

export interface NamedSchema {
  readonly title: string;
  readonly schema: Type.TSchema;
}

/** Scalars and small values. */
export const VALUES: readonly NamedSchema[] = [
  page,
  range,
  shortRange,
  pageCountInCall,
  frame,
  frameOrNone,
  mm,
  handle,
  notifierSeq,
  hmmPfnValue,
  migratePfnValue,
  hexU64,
  wordAddress,
  pageAddress,
  name,
  sequence,
  mirrorEntryValue,
].map((schema) => ({ title: titleOf(schema), schema }));

/** Objects that have a chapter of their own in the document. */
export const OBJECTS: readonly NamedSchema[] = [
  { title: 'error', schema: named('error', RpcError) },
  { title: 'error data', schema: named('error data', ErrorData) },
  { title: 'lab snapshot', schema: LabSnapshot },
  { title: 'lab control', schema: LabControl },
  { title: 'task entry', schema: TaskEntry },
  { title: 'client moment', schema: ClientMoment },
  { title: 'pte view', schema: PteView },
  { title: 'mirror view', schema: MirrorView },
  { title: 'event', schema: Event },
];

export const NAMED_SCHEMAS: readonly NamedSchema[] = [...VALUES, ...OBJECTS];

function titleOf(schema: Type.TSchema): string {
  return 'title' in schema ? String(schema.title) : 'untitled';
}
