/**
 * What the server asks of a client. The first three are the kernel's (struct mmu_interval_notifier_ops, struct
 * dev_pagemap_ops); a device that leaves them without an answer for leaseMs is fenced. The others are the
 * conductor's: they run a demo and never hold up the kernel.
 */
import Type from 'typebox';
import { ERRNO_NUMBER, type Errno } from '../vocabulary/errno.ts';
import type { ParamsOf, RequestTable, ResultsOf } from './request-spec.ts';
import {
  frame,
  handle,
  mm,
  name,
  nothing,
  notifierSeq,
  page,
  range,
  strict,
  word,
} from './wire-values.ts';

const bare = { sends: 'no-pages', answers: 'no-pages', subject: 'params' } as const;

export const KERNEL_QUESTIONS = {
  /**
   * Take the driver lock, set the subscription's sequence to `seq` (mmu_interval_set_seq), drop the entries of
   * `range`, answer. 'again' only if the range is 'non-blockable' and the lock was busy. `invalidate_seq` is the
   * sequence that the driver now holds.
   */
  invalidate: {
    ...bare,
    params: strict({
      subscription: handle,
      mm,
      range,
      event: word(
        'unmap',
        'clear',
        'protection_vma',
        'protection_page',
        'soft_dirty',
        'release',
        'migrate',
        'exclusive',
      ),
      /** The pgmap owner that may ignore this (its own migration), or 'none'. */
      owner: Type.String(),
      blocking: word('blockable', 'non-blockable'),
      seq: notifierSeq,
    }),
    result: strict({ result: word('done', 'again'), invalidate_seq: notifierSeq }),
  },
  /**
   * A CPU fault on a private page of this device: bring `page` of `mm` back, with `pfn` as fault_page. mmap_lock
   * is held for you. Answer 'OK' or the errno that makes it a SIGBUS.
   */
  migrate_to_ram: {
    ...bare,
    params: strict({ mm, page, pfn: frame }),
    result: strict({ result: word('OK', ...(Object.keys(ERRNO_NUMBER) as Errno[])) }),
  },
  /** The mirrored mm is going away: drop every entry. */
  release: { ...bare, params: nothing, result: nothing },
} as const satisfies RequestTable;

export const CONDUCTOR_QUESTIONS = {
  /** Run one verb of the client's own program and answer with its result. What both mean is the client's. */
  perform: {
    ...bare,
    params: Type.Object({ verb: Type.String({ maxLength: 64 }) }),
    result: Type.Record(Type.String(), Type.Unknown()),
  },
  /** After the next answer to a request `after`, stand still, tell `held`, wait for `go`. Answered at once. */
  hold: { ...bare, params: strict({ after: Type.String({ maxLength: 64 }) }), result: nothing },
  /** Go on from `held`; a hold that was not reached is taken back. */
  go: { ...bare, params: nothing, result: nothing },
  /** A new machine begins: forget subscriptions, private memory and mirror, then answer. */
  reset: { ...bare, params: strict({ lab: name }), result: nothing },
} as const satisfies RequestTable;

export const SERVER_QUESTIONS = { ...KERNEL_QUESTIONS, ...CONDUCTOR_QUESTIONS } as const;

export type KernelQuestion = keyof typeof KERNEL_QUESTIONS;
export type ConductorQuestion = keyof typeof CONDUCTOR_QUESTIONS;
export type ServerQuestion = keyof typeof SERVER_QUESTIONS;
export type QuestionParams = ParamsOf<typeof SERVER_QUESTIONS>;
export type QuestionResults = ResultsOf<typeof SERVER_QUESTIONS>;
