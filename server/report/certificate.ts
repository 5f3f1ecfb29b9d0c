/** Why a foreign device does not pass, and what was covered: as values, and in words. */

import type { Failure } from '../explorer/failure.ts';
import { type CodeNotReached, notReachedText } from './code-reached.ts';
import { describeFailure } from './describe-failure.ts';
import { counted } from './lines/counted.ts';

/** What the client did that ends a schedule. */
export type Trouble =
  | { readonly kind: 'silent'; readonly when: SilentWhen }
  /** `frames`: as many as it had sent. */
  | { readonly kind: 'gone'; readonly frames: number }
  | { readonly kind: 'refused'; readonly what: RefusedWhat };

export type SilentWhen =
  | { readonly at: 'reset'; readonly ms: number }
  /** It sends so many frames by itself, and did not this time. */
  | { readonly at: 'opening'; readonly before: number; readonly now: number }
  | {
      readonly at: 'frame';
      readonly ms: number;
      /** The last that it has sent, 0 for none. */
      readonly n: number;
      readonly frame: string;
      /** Methods of the questions that it has not answered. */
      readonly owes: readonly string[];
    };

export type RefusedWhat =
  | { readonly by: 'device'; readonly request: 'reset' }
  | { readonly by: 'gateway'; readonly n: number; readonly why: string }
  /** What it asked of the kernel is something that no driver may do. */
  | { readonly by: 'kernel'; readonly misuse: string };

/** Why a device does not pass. */
export type FindingReason =
  | Trouble
  | {
      readonly kind: 'contract' | 'oracle';
      readonly failure: Failure;
      /** The frame of the client that was granted last. */
      readonly near: { readonly n: number; readonly method: string } | 'none';
    }
  | {
      readonly kind: 'not deterministic';
      readonly n: number;
      readonly expected: string;
      readonly came: string;
    };

/** One sentence. */
export function describeFinding(device: string, reason: FindingReason): string {
  switch (reason.kind) {
    case 'contract':
    case 'oracle': {
      const { near, failure } = reason;
      const shown = reason.kind === 'contract' && near !== 'none';
      const about = shown ? ` (at or after its frame ${near.n}, ${near.method})` : '';
      return `${describeFailure(failure)}${about}`;
    }
    case 'not deterministic':
      return (
        `${device} is not deterministic: after the same grants its frame ${reason.n} was ` +
        `${reason.expected} in one run and ${reason.came} in the next`
      );
    case 'gone':
      return `${device} left after ${reason.frames} frames`;
    case 'silent':
      return silentText(device, reason.when);
    case 'refused':
      return refusedText(device, reason.what);
  }
}

function silentText(device: string, when: SilentWhen): string {
  switch (when.at) {
    case 'reset':
      return `${device} did not answer the reset within ${when.ms} ms`;
    case 'opening':
      return `${device} opened with ${when.before} frames before, and with ${when.now} now`;
    case 'frame': {
      const after = when.n === 0 ? 'its reset' : `frame ${when.n} (${when.frame})`;
      const owed = when.owes.map((method) => `an answer to ${method}`).join(' and ');
      return `${device} said nothing for ${when.ms} ms after ${after}: it owes ${owed}`;
    }
  }
}

function refusedText(device: string, what: RefusedWhat): string {
  switch (what.by) {
    case 'device':
      return `${device} refused the reset: each schedule begins with one`;
    case 'gateway':
      return `frame ${what.n} of ${device} was refused: ${what.why}`;
    case 'kernel':
      return `${device}: ${what.misuse}`;
  }
}

/** What was covered: the reason for the verdict. */
export type CertificateBound =
  | (Schedules & { readonly kind: 'found' })
  | (Schedules & { readonly kind: 'stopped'; readonly why: 'interrupted' | 'budget' })
  | (Schedules & { readonly kind: 'cut'; readonly cut: number })
  | (Schedules & { readonly kind: 'window never entered' })
  | (Schedules & { readonly kind: 'sampled' })
  | (Schedules & { readonly kind: 'every near order'; readonly deviations: number })
  /** The device may only have been late. */
  | (Schedules & { readonly kind: 'busy'; readonly reason: FindingReason })
  /** The scenario asks for verbs that the device does not know. */
  | (Schedules & { readonly kind: 'unknown verbs'; readonly verbs: readonly string[] })
  /** Of the patch, or of the driver of another device. */
  | (Schedules & CodeNotReached)
  | { readonly kind: 'not joined'; readonly seconds: number };

interface Schedules {
  readonly schedules: number;
}

/** One sentence. */
export function describeCertificateBound(device: string, bound: CertificateBound): string {
  if (bound.kind === 'not joined') {
    return `no device joined as ${device} within ${bound.seconds} s`;
  }
  const many = `${counted(bound.schedules, 'schedule')}, each run twice`;
  switch (bound.kind) {
    case 'found':
      return `found in ${many}`;
    case 'stopped':
      return `${bound.why === 'budget' ? 'the budget ended' : bound.why} after ${many}`;
    case 'cut':
      return `${bound.cut} of ${many} were cut: too long`;
    case 'window never entered':
      return `the race window was never entered in ${many}`;
    case 'sampled':
      return `sampled: nothing found in ${many}`;
    case 'every near order':
      return (
        `every order that leaves first come, first served in at most ${counted(bound.deviations, 'place')}, ` +
        `any actor may begin: ${many}`
      );
    case 'busy':
      return (
        `the machine is busy, so this may only have been late: ${describeFinding(device, bound.reason)} ` +
        `(in ${many}; with --quiet-ms and --answer-ms the device gets more time)`
      );
    case 'patch not reached':
    case 'driver not reached':
      return `${notReachedText(bound)} in none of ${many}`;
    case 'unknown verbs':
      return `${device} does not know what the scenario asks for: ${bound.verbs.join(', ')}`;
  }
}
