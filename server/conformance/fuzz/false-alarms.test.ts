/** Programs in which the kernel is right and was reported all the same: nothing is found in them now. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMismatch } from '../traces/parse-program.ts';
import { FUZZ_DRIVERS } from './device-world.ts';
import { FINDING_FORMAT, parseFindingFile } from './finding-file.ts';
import type { FuzzSet } from './fuzz-program.ts';
import { randomPolicy } from './random-policy.ts';
import { runFuzzProgram } from './run-fuzz-program.ts';

/** The schedule that showed it, and those after it, for when a yield point has moved. */
const SCHEDULES = 40;

/** What is found in a program with the corrected driver, under any of these schedules. */
function found(set: FuzzSet, schedule: number, steps: readonly (readonly object[])[]): string[] {
  const file = parseFindingFile({
    format: FINDING_FORMAT,
    about: [],
    driver: 'corrected',
    patches: [],
    set,
    schedule,
    finding: { rule: '', text: '', step: 0 },
    steps,
  });
  if (isMismatch(file)) return assert.fail(`${file.path}: expected ${file.bound}`);
  const texts: string[] = [];
  for (let seed = schedule; seed < schedule + SCHEDULES; seed += 1) {
    const newDriver = FUZZ_DRIVERS.corrected;
    const { finding } = runFuzzProgram(file.program, { policy: randomPolicy(seed), newDriver });
    if (finding !== 'none') texts.push(`${seed}: [${finding.rule}] ${finding.text}`);
  }
  return texts;
}

const thread = 'first';
const beside = { thread: 'second' };

test('[OR3] MADV_FREE over a hole frees what is mapped: after PAGEOUT it reads as zero', () => {
  const overHole = { op: 'madvise', addr: '0x1002ff000', pages: 2 };
  const addr = '0x100300000';
  const steps = [
    [{ op: 'mmap', addr, pages: 1, prot: 'rw', kind: 'anon-private', thread }],
    [
      { op: 'store', actor: 'cpu0', addr, value: '0x21', thread },
      { op: 'dev-read', dev: 0, addr, pages: 1, thread },
      { ...overHole, advice: 'FREE', ...beside },
    ],
    [{ ...overHole, advice: 'PAGEOUT', thread }],
  ];
  assert.deepEqual(found('huge', 2654435995, steps), []);
});

test('[OR4] a page that reclaim had locked when its last mapping went stays in the swap cache, and is no leak', () => {
  const addr = '0x100300000';
  const pageout = { op: 'madvise', addr, pages: 3, advice: 'PAGEOUT', ...beside };
  const below = '0x1002ff000';
  const steps = [
    [
      { op: 'mmap', addr: '0x1001fe000', pages: 512, prot: 'rw', kind: 'anon-private', thread },
      pageout,
      { op: 'store', actor: 'cpu1', addr: below, value: '0x31', ...beside },
      { op: 'dev-read', dev: 0, addr, pages: 4, ...beside },
    ],
    [
      { op: 'exclusive', dev: 0, addr, pages: 3, thread },
      pageout,
      { op: 'madvise', addr: below, pages: 2, advice: 'DONTNEED', thread },
    ],
  ];
  assert.deepEqual(found('huge', 2654440217, steps), []);
});

test('[OR3] a device writes to the process while a page of the child goes home from it at the same address', () => {
  const addr = '0x1001f9000';
  const values = ['0x61', '0x62', '0x63', '0x64', '0x65'];
  const steps = [
    [
      { op: 'mmap', addr: '0x1001f8000', pages: 8, prot: 'rw', kind: 'anon-private', thread },
      { op: 'migrate-to-dev', dev: 1, addr, pages: 6, thread },
    ],
    [{ op: 'fork', thread }],
    [{ op: 'madvise', addr, pages: 7, advice: 'DONTNEED', thread }],
    [
      { op: 'store', actor: 'cpu0', addr, value: '0x51', ...beside },
      { op: 'dev-write', dev: 1, addr, values, thread },
      { op: 'store', actor: 'cpu1', addr, value: '0x71', thread },
    ],
  ];
  assert.deepEqual(found('swap', 2654441857, steps), []);
});
