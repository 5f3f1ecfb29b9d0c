/**
 * What the server asks of a client. The first ones are the kernel's (struct mmu_interval_notifier_ops, struct
 * mmu_notifier_ops, struct dev_pagemap_ops); a device that leaves them without an answer for leaseMs is fenced. The
 * others are the conductor's: they run a demo and never hold up the kernel.
 */
import { Type } from 'typebox';
import { prose } from '../abi/prose.ts';
import { described, name, nothing, page, range, strict, word } from '../abi/scalars.ts';
import { ERRNO_NUMBER, type Errno } from '../vocabulary/errno.ts';
import { ClientMoment, MOMENTS_MAX } from './client-moment.ts';
import type { ParamsOf, RequestTable, ResultsOf } from './request-spec.ts';
import { frame, handle, mm, notifierSeq, pageHex } from './wire-values.ts';

const bare = { sends: 'no-pages', answers: 'no-pages', subject: 'params', errors: [] } as const;

const bracket = {
  mm,
  range,
  event: described(
    word(
      'unmap',
      'clear',
      'protection_vma',
      'protection_page',
      'soft_dirty',
      'release',
      'migrate',
      'exclusive',
    ),
    'Why, as enum mmu_notifier_event.',
  ),
  owner: Type.String({
    description:
      'the pgmap owner of the device that migrates: its name, unless it shares one; or "none"',
  }),
  blocking: described(
    word('blockable', 'non-blockable'),
    'non-blockable: the caller must not wait for a lock of yours.',
  ),
} as const;

const invalidation = { subscription: handle, ...bracket, seq: notifierSeq } as const;

const pass = {
  ...invalidation,
  call: described(handle, 'Names the invalidation in both passes: several may run.'),
} as const;

const invalidateSeq = described(
  notifierSeq,
  'The sequence that the subscription now has at your side.',
);

export const KERNEL_QUESTIONS = {
  invalidate: {
    meaning: prose(`
      The CPU page table of range is about to change. Take the driver's lock, set the sequence of the subscription to
      seq (mmu_interval_set_seq), drop your entries of range, report them by mirror_changed, answer done. Answer again
      only if the range is non-blockable and the lock was busy: then change nothing. A device that answers again to a
      blockable range, or an error, is fenced. A device may keep the entries that its own migration invalidates
      (event migrate, owner its own name) if it updates its page table itself; it sets the sequence all the same.
    `),
    ...bare,
    params: strict(invalidation),
    result: strict({ result: word('done', 'again'), invalidate_seq: invalidateSeq }),
  },
  invalidate_start: {
    meaning: prose(`
      The first pass of an invalidation, for a subscription that was made with passes "two", where the kernel has two:
      what invalidate asks, but the answer begun leaves the rest, dropping entries or waiting for it, to
      invalidate_finish. The sequence belongs into this pass: a fault between the passes must see that it collided.
      done and again are answered as to invalidate, and nothing follows then.
    `),
    ...bare,
    params: strict(pass),
    result: strict({ result: word('done', 'again', 'begun'), invalidate_seq: invalidateSeq }),
  },
  invalidate_finish: {
    meaning: prose(`
      The second pass, for a call that was answered begun, once every device has begun: end what was begun, report the
      dropped entries by mirror_changed, then answer.
    `),
    ...bare,
    params: strict(pass),
    result: strict({ invalidate_seq: invalidateSeq }),
  },
  invalidate_range_start: {
    meaning: prose(`
      For a device that has registered a classic notifier: the CPU page table of range is about to change, in a range
      that may be none of yours. Drop your entries of it, note that it is being invalidated, report by mirror_changed,
      answer done. Answer again only if the range is non-blockable and you have registered no end. A device that
      answers again otherwise, or an error, is fenced.
    `),
    ...bare,
    params: strict(bracket),
    result: strict({ result: word('done', 'again') }),
  },
  invalidate_range_end: {
    meaning: prose(`
      The CPU page table of range has changed, for a device that has registered an end. Starts and ends come in pairs,
      but for those of a notifier that is registered or taken back in between.
    `),
    ...bare,
    params: strict(bracket),
    result: nothing,
  },
  migrate_to_ram: {
    meaning: prose(`
      A CPU touched page, which is in your private frame pfn: bring it back. migrate_vma_setup with select
      device-private and fault_page pfn (mmap_lock of mm is held for you, until you answer), alloc_pages, drop your
      entry, dma_write, migrate_vma_pages, migrate_vma_finalize, then answer OK; or the errno that becomes a SIGBUS.
      A page that did not move is no failure: the CPU faults again.
    `),
    ...bare,
    params: strict({ mm, page, pfn: frame }),
    result: strict({ result: word('OK', ...(Object.keys(ERRNO_NUMBER) as Errno[])) }),
  },
  peer_read: {
    meaning: prose(`
      Only of a device that has given its memory a pgmap owner: a device that shares it reads your private frame pfn, as
      through a window of the bus. Answer with what is there, at once: take no lock of your driver for it.
    `),
    ...bare,
    params: strict({ pfn: frame }),
    result: strict({ page: pageHex }),
  },
  peer_write: {
    meaning: 'The same for a write: page is what the frame holds from now on.',
    ...bare,
    params: strict({ pfn: frame, page: pageHex }),
    result: nothing,
  },
  release: {
    meaning:
      'The mirrored mm is going away: drop every entry, report it by mirror_changed, then answer.',
    ...bare,
    params: nothing,
    result: nothing,
  },
} as const satisfies RequestTable;

export const CONDUCTOR_QUESTIONS = {
  perform: {
    meaning: prose(`
      Run one verb of the client's own program, and answer with its result when it is done. Beside verb the params
      hold what the verb needs; what both mean is the client's. See Verbs for those of the ready-made clients. An
      unknown verb, or one with wrong parameters, is answered with an error whose data.errno is EINVAL.
    `),
    ...bare,
    params: Type.Object({
      verb: Type.String({ maxLength: 64, description: 'the name of the verb' }),
    }),
    result: Type.Record(Type.String(), Type.Unknown()),
  },
  hold: {
    meaning: prose(`
      Arm a hold, and answer at once. The next task of yours that gets the answer of a request after stands still
      before it does anything with it: send held, and go on only after go. A hold stops one task once.
    `),
    ...bare,
    params: strict({
      after: Type.String({ maxLength: 64, description: 'a method: migrate_vma_setup' }),
    }),
    result: nothing,
  },
  go: {
    meaning:
      'Tasks that stand at a hold go on; holds that were not reached are taken back. Answer at once.',
    ...bare,
    params: nothing,
    result: nothing,
  },
  moments: {
    meaning: prose(`
      Name the moments that you can go back to, oldest first: those in which no verb and no question of yours was
      under way. The lab is about to go back to one of them. A client that keeps none answers with an error.
    `),
    ...bare,
    params: nothing,
    result: strict({ moments: Type.Array(ClientMoment, { maxItems: MOMENTS_MAX }) }),
  },
  reset: {
    meaning: prose(`
      A new machine begins under the same session: forget subscriptions, private memory, page table, holds and running
      verbs, then answer. What you asked of the old machine is answered with lab-reset, its questions are void; what
      you ask before the answer to reset is refused with lab-reset. After the answer, begin as after a fresh hello.
      With moment the lab goes back: a client that can be again as it was then is so, answers kept, and goes on from
      there, attached, with the subscriptions and private frames of then. One that cannot begins anew.
    `),
    ...bare,
    params: strict({ lab: name, moment: Type.Optional(ClientMoment) }),
    result: strict({ moment: Type.Optional(word('kept', 'lost')) }),
  },
} as const satisfies RequestTable;

export const SERVER_QUESTIONS = { ...KERNEL_QUESTIONS, ...CONDUCTOR_QUESTIONS } as const;

export type KernelQuestion = keyof typeof KERNEL_QUESTIONS;
export type ConductorQuestion = keyof typeof CONDUCTOR_QUESTIONS;
export type ServerQuestion = keyof typeof SERVER_QUESTIONS;
export type QuestionParams = ParamsOf<typeof SERVER_QUESTIONS>;
export type QuestionResults = ResultsOf<typeof SERVER_QUESTIONS>;
