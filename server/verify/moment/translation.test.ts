import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HMM_PFN_VALID, HMM_PFN_WRITE, hmmPfn } from '../../abi/hmm-pfn.ts';
import { MIGRATE_PFN_VALID, migratePfn } from '../../abi/migrate-pfn.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import type { Response } from './recorded-run.ts';
import { Translation } from './translation.ts';

function answer(result: unknown): Response {
  return {
    kind: 'response',
    actor: 'dev0',
    id: 1,
    outcome: { ok: true, result },
    contents: [],
  } as never;
}

function refused(errno: string): Response {
  return {
    kind: 'response',
    actor: 'dev0',
    id: 1,
    outcome: { ok: false, errno },
    contents: [],
  } as never;
}

const frame = (pfn: number, flags = HMM_PFN_VALID) => hmmPfn(pfn as Pfn, flags);

test('a frame that has another number now is translated from then on, also inside packed entries', () => {
  const translation = new Translation();
  const [then, now] = [answer({ pfns: [frame(7)] }), answer({ pfns: [frame(9)] })];
  assert.equal(translation.learn('hmm_range_fault', then, now), 'same');
  assert.deepEqual([translation.frame(7), translation.frame(8)], [9, 8]);
  const packed = migratePfn(7 as Pfn, MIGRATE_PFN_VALID);
  assert.equal(translation.packed(packed), migratePfn(9 as Pfn, MIGRATE_PFN_VALID));
});

test('rights that differ are another answer: the client would not go on as it did', () => {
  const [then, now] = [
    answer({ pfns: [frame(7, HMM_PFN_VALID + HMM_PFN_WRITE)] }),
    answer({ pfns: [frame(7)] }),
  ];
  assert.equal(new Translation().learn('hmm_range_fault', then, now), 'other');
  const fewer = answer({ pfns: [] });
  assert.equal(new Translation().learn('hmm_range_fault', then, fewer), 'other');
});

test('handles of migrations and subscriptions are translated', () => {
  const translation = new Translation();
  const setup = (migrate: number) => answer({ migrate, src: [] });
  assert.equal(translation.learn('migrate_vma_setup', setup(1), setup(4)), 'same');
  const inserted = (subscription: number) => answer({ subscription });
  const method = 'mmu_interval_notifier_insert';
  assert.equal(translation.learn(method, inserted(2), inserted(3)), 'same');
  assert.deepEqual([translation.handle(1), translation.handle(2)], [4, 3]);
});

test('a refusal is the same by its errno, and never the same as an answer', () => {
  const translation = new Translation();
  const learn = (then: Response, now: Response) => translation.learn('dma_read', then, now);
  assert.equal(learn(refused('EBUSY'), refused('EBUSY')), 'same');
  assert.equal(learn(refused('EBUSY'), refused('EFAULT')), 'other');
  assert.equal(learn(refused('EBUSY'), answer({})), 'other');
  assert.equal(learn(answer({ a: 1 }), answer({ a: 2 })), 'other');
});
