/** The runs that the golden files were made of: the seed race in this process, where every order is forced. */
import {
  runSeedRace,
  SEED_PATCH,
  type SeedScenario,
  type SeedVerdict,
} from '../../scenario/seed-race/seed-race.ts';
import { newDirectWorld } from '../../scenario/seed-race/seed-race-direct.fixture.ts';
import type { ReportMeta } from '../report-meta.ts';

export type GoldenKernel = 'stock' | 'patched';

export function runGolden(scenario: SeedScenario, kernel: GoldenKernel): Promise<SeedVerdict> {
  return runSeedRace(scenario, kernel === 'stock' ? 'stock' : SEED_PATCH, newDirectWorld);
}

/** As a search of this one execution would say it. */
export function metaOf(verdict: SeedVerdict): ReportMeta {
  const broken = verdict.verdict === 'broken';
  const positive = broken ? 1 : 0;
  return {
    name: verdict.scenario,
    kernel: '6.1',
    patch: verdict.patch,
    verdict: verdict.verdict,
    seen: verdict.seen,
    bound: '1 forced execution',
    reproduce: 'npx mmrace demo --once',
    litmus: {
      name: verdict.scenario,
      form: 'exhaustive',
      complete: 'yes',
      states: [
        { text: `dev1:r0=${broken ? '0x0' : '0x2a'};`, count: 1, meets: broken ? 'yes' : 'no' },
      ],
      quantifier: 'exists',
      condition: 'dev1:r0=0x0',
      positive,
      negative: 1 - positive,
      seconds: 'not measured',
      hash: '0123456789abcdef0123456789abcdef',
    },
    properties: [
      {
        name: 'values',
        outcome: broken ? 'fail' : 'pass',
        reason: broken ? verdict.seen : '',
      },
      { name: 'progress', outcome: 'pass', reason: '' },
    ],
    waits: [],
  };
}
