/**
 * The numbers of one run for those of another: frames, migrations and subscriptions that a client was given then and is
 * given now. What a client makes of an answer is the same only if nothing but such numbers differs.
 */
import { HMM_PFN_VALID, type HmmPfn, hmmPfnHas, hmmPfnToPfn } from '../../abi/hmm-pfn.ts';
import { type MigratePfn, migratePfnToPfn } from '../../abi/migrate-pfn.ts';
import { sameContents, ZERO_CONTENTS } from '../../vocabulary/page-contents.ts';
import type { Response } from './recorded-run.ts';

const SCALE = 64;

export class Translation {
  readonly #frames = new Map<number, number>();
  readonly #handles = new Map<number, number>();

  frame(then: number): number {
    return this.#frames.get(then) ?? then;
  }

  handle(then: number): number {
    return this.#handles.get(then) ?? then;
  }

  /** A frame number with flags below it, as in src and dst of a migration. */
  packed(then: number): number {
    return this.frame(Math.floor(then / SCALE)) * SCALE + (then % SCALE);
  }

  /** 'same' if the client can go on as it did; what was called otherwise is learnt. */
  learn(method: string, then: Response, now: Response): 'same' | 'other' {
    if (!(then.outcome.ok && now.outcome.ok)) {
      const [a, b] = [errnoOf(then), errnoOf(now)];
      return a === b ? 'same' : 'other';
    }
    const [a, b] = [then.outcome.result, now.outcome.result] as [Result, Result];
    switch (method) {
      case 'hmm_range_fault':
      case 'hmm_range_fault_unlocked':
        return this.#pairs(a.pfns, b.pfns, hmmFrame);
      case 'migrate_vma_setup':
      case 'migrate_device_range':
        this.#handles.set(Number(a.migrate), Number(b.migrate));
        return this.#pairs(a.src, b.src, migrateFrame);
      case 'migrate_vma_pages':
      case 'migrate_device_pages':
        return this.#pairs(a.src, b.src, migrateFrame);
      case 'alloc_pages':
      case 'make_device_exclusive_range':
        return this.#pairs(a.frames, b.frames, Number);
      case 'mmu_interval_notifier_insert':
        this.#handles.set(Number(a.subscription), Number(b.subscription));
        return 'same';
      case 'mmu_interval_read_begin':
        return 'same';
      default:
        return JSON.stringify(a) === JSON.stringify(b) ? 'same' : 'other';
    }
  }

  #pairs(
    then: readonly unknown[] | undefined,
    now: readonly unknown[] | undefined,
    frameOf: (entry: never) => number | 'none',
  ): 'same' | 'other' {
    if (then === undefined || then.length !== now?.length) return 'other';
    for (const [at, entry] of then.entries()) {
      const other = now[at];
      if (typeof entry !== 'number' || typeof other !== 'number') {
        if (entry !== other) return 'other';
        continue;
      }
      const [from, to] = [frameOf(entry as never), frameOf(other as never)];
      if (frameOf !== Number && entry % SCALE !== other % SCALE) return 'other';
      if (from !== 'none' && to !== 'none') this.#frames.set(from, to);
    }
    return 'same';
  }
}

interface Result {
  readonly pfns?: readonly unknown[];
  readonly src?: readonly unknown[];
  readonly frames?: readonly unknown[];
  readonly migrate?: unknown;
  readonly subscription?: unknown;
}

function errnoOf({ outcome }: Response): string {
  return outcome.ok ? 'OK' : outcome.errno;
}

function hmmFrame(entry: HmmPfn): number | 'none' {
  return hmmPfnHas(entry, HMM_PFN_VALID) ? hmmPfnToPfn(entry) : 'none';
}

function migrateFrame(entry: MigratePfn): number | 'none' {
  return migratePfnToPfn(entry);
}

export function sameAnswerContents(then: Response, now: Response): boolean {
  return (
    then.contents.length === now.contents.length &&
    then.contents.every((page, at) => sameContents(page, now.contents[at] ?? ZERO_CONTENTS))
  );
}
