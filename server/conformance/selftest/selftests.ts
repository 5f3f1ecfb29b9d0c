/** The selftests in the order of the kernel's file, under the names that its harness prints. */
import {
  anonRead,
  anonReadMultiple,
  anonReadProt,
  anonTeardown,
  anonWrite,
  anonWriteChild,
  anonWriteChildShared,
  anonWriteProt,
  openClose,
} from './anonymous-memory.ts';
import { exclusive, exclusiveCow, exclusiveMprotect } from './exclusive-access.ts';
import {
  anonWriteHuge,
  migrateAnonHugeEmpty,
  migrateAnonHugeFault,
  migrateAnonHugeFree,
  migrateAnonHugeZero,
  migratePartialUnmapFault,
  migrateRemapFault,
} from './huge-pages.ts';
import {
  fileRead,
  fileWrite,
  migrate,
  migrateFault,
  migrateFilePrivate,
  migrateMixed,
  migrateMultiple,
  migrateRelease,
  migrateShared,
} from './migration.ts';
import type { Selftest } from './selftest.ts';
import { doubleMap, hmmCowInDevice, hmmGupTest, snapshot } from './views.ts';

const HUGETLBFS = 'hugetlbfs is not modelled';
const DEVICE_FILE = 'mapping the device file is not modelled';
const FAILING_ALLOCATION = 'dmirror of 6.1 has no way to make an allocation fail';
const BENCHMARK = 'a benchmark: see npm run bench';
const COHERENT = 'device-coherent memory is not modelled';

/** FIXTURE(hmm): one device. */
const HMM: readonly Selftest[] = [
  openClose,
  anonRead,
  anonReadProt,
  anonWrite,
  anonWriteProt,
  anonWriteChild,
  anonWriteChildShared,
  anonWriteHuge,
  { name: 'anon_write_hugetlbfs', skip: HUGETLBFS },
  fileRead,
  fileWrite,
  migrate,
  migrateFilePrivate,
  migrateFault,
  migrateRelease,
  migrateShared,
  migrateMultiple,
  anonReadMultiple,
  anonTeardown,
  { name: 'mixedmap', skip: DEVICE_FILE },
  { name: 'compound', skip: HUGETLBFS },
  exclusive,
  exclusiveMprotect,
  exclusiveCow,
  hmmGupTest,
  hmmCowInDevice,
  migrateAnonHugeEmpty,
  migrateAnonHugeZero,
  migrateAnonHugeFree,
  migrateAnonHugeFault,
  migratePartialUnmapFault,
  migrateRemapFault,
  { name: 'migrate_anon_huge_err', skip: FAILING_ALLOCATION },
  { name: 'migrate_anon_huge_zero_err', skip: FAILING_ALLOCATION },
  { name: 'benchmark_thp_migration', skip: BENCHMARK },
];

/** FIXTURE(hmm2): two devices. */
const HMM2: readonly Selftest[] = [migrateMixed, snapshot, doubleMap];

/** All of them: fixture by fixture, variant by variant. */
export const SELFTESTS: readonly Selftest[] = [
  ...HMM.map((test) => named('hmm.hmm_device_private', test)),
  ...HMM.map(({ name }) => ({ name: `hmm.hmm_device_coherent.${name}`, skip: COHERENT })),
  ...HMM2.map((test) => named('hmm2.hmm2_device_private', test)),
  ...HMM2.map(({ name }) => ({ name: `hmm2.hmm2_device_coherent.${name}`, skip: COHERENT })),
];

function named(variant: string, test: Selftest): Selftest {
  return { ...test, name: `${variant}.${test.name}` };
}
