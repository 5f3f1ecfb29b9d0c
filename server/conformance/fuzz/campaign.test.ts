/** Random programs: none is found with the corrected driver, and the campaign finds what is broken on purpose. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flushTlbRange } from '../../kernel/memory/flush-tlb.ts';
import type { Patch } from '../../patches/patch.ts';
import { removeSecondInvalidate } from '../../patches/remove-second-invalidate.ts';
import { type CampaignOptions, runCampaign } from './campaign.ts';
import { FUZZ_DRIVERS } from './device-world.ts';
import { findingClass } from './finding-class.ts';
import { replayFinding } from './replay-finding.ts';
import { shrinkFinding } from './shrink-finding.ts';

const QUIET: CampaignOptions = {
  seed: 1,
  count: 200,
  driver: 'corrected',
  patches: [],
  set: 'all',
  shrink: (found) => found,
  onProgress: () => undefined,
};

test('[OR1] [OR2] [OR3] [OR4] [OR5] nothing is wrong in 200 programs with the corrected driver', () => {
  const { programs, ops, findings } = runCampaign(QUIET);
  assert.deepEqual(findings, []);
  assert.equal(programs, 200);
  assert.ok(ops > 2_000);
});

test('the same seed runs the same programs', () => {
  const [one, other] = [runCampaign({ ...QUIET, count: 20 }), runCampaign({ ...QUIET, count: 20 })];
  assert.deepEqual([one.ops, one.steps], [other.ops, other.steps]);
  assert.notEqual(runCampaign({ ...QUIET, count: 20, seed: 2 }).steps, one.steps);
});

test('[OR1] a kernel without the second invalidation is found', () => {
  const patches = [removeSecondInvalidate];
  const texts: string[] = [];
  for (let seed = 1; seed <= 40 && texts.length === 0; seed += 1) {
    const { findings } = runCampaign({ ...QUIET, seed, set: 'anon', count: 60, patches });
    texts.push(...findings.map(({ file }) => file.finding.text));
  }
  assert.match(texts[0] ?? 'nothing found', /maps 0x\w+ to frame zero \(read\)/);
});

/** Flushes nothing, as a patch made for this test. */
function withoutFlush(): Patch {
  return {
    id: 'flushes-nothing',
    provenance: 'made for this test',
    summary: 'TLB shootdowns do nothing',
    overrides: () => ({
      *flushTlbRange(k, mm, range) {
        if (range.first === range.end) yield* flushTlbRange(k, mm, range);
      },
    }),
  };
}

test('[OR2] a kernel that flushes no TLB is found at once', () => {
  const { findings } = runCampaign({ ...QUIET, count: 20, patches: [withoutFlush()] });
  assert.ok(findings.some(({ file }) => file.finding.rule === 'OR2'));
});

test('a finding shrinks to a small program that shows it again', () => {
  const patches = [withoutFlush()];
  const { findings } = runCampaign({
    ...QUIET,
    set: 'anon',
    count: 8,
    patches,
    shrink: (found) => shrinkFinding(found, { newDriver: FUZZ_DRIVERS.corrected, patches }),
  });
  const small = findings.find(({ file }) => file.finding.rule === 'OR10')?.file;
  assert.ok(small !== undefined);
  const ops = small.program.steps.flat();
  assert.ok(ops.length <= 4, `${ops.length} operations are left`);
  const shown = replayFinding(small, { patches, driver: 'corrected', schedules: 0 });
  assert.ok(shown !== 'not seen');
  assert.equal(findingClass(shown.finding), findingClass(small.finding));
});
