/** The scenarios of the levels, as data: the build reads their YAML. */
import { scenario as collectDropsDirty } from '../../../scenarios/collect-drops-dirty.yaml';
import { scenario as madviseBeforeMap } from '../../../scenarios/madvise-before-map.yaml';
import { scenario as mprotectVsRmapWalk } from '../../../scenarios/mprotect-vs-rmap-walk.yaml';
import { scenario as pageLockUnderDriverLock } from '../../../scenarios/page-lock-under-driver-lock.yaml';
import { scenario as seedEmptyEntry } from '../../../scenarios/seed-empty-entry.yaml';
import { scenario as seedZeroPage } from '../../../scenarios/seed-zero-page.yaml';
import type { Scenario } from '../../../server/scenario/scenario-schema.ts';

export const LEVEL_SCENARIOS: ReadonlyMap<string, Scenario> = new Map(
  [
    collectDropsDirty,
    madviseBeforeMap,
    mprotectVsRmapWalk,
    pageLockUnderDriverLock,
    seedEmptyEntry,
    seedZeroPage,
  ].map((scenario) => [scenario.name, scenario]),
);
