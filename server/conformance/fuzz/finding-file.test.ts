import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMismatch } from '../traces/parse-program.ts';
import { type FindingFile, parseFindingFile, printFindingFile } from './finding-file.ts';
import { FUZZ_SETS } from './fuzz-program.ts';
import { generateGenes } from './generate-genes.ts';
import { programOfGenes } from './genes.ts';
import { newRandom } from './random.ts';

const STORE = { op: 'store', actor: 'cpu0', addr: '0x1000', value: '0x1', thread: 'first' };
const GOOD = {
  format: 'mmrace-finding-1',
  about: ['a story'],
  driver: 'faithful',
  patches: [],
  set: 'anon',
  schedule: 7,
  finding: { rule: 'OR1', text: 'wrong', step: 0 },
  steps: [[STORE]],
};

function complaint(change: object): string {
  const parsed = parseFindingFile({ ...GOOD, ...change });
  return isMismatch(parsed) ? `${parsed.path}: expected ${parsed.bound}` : 'none';
}

test('what is printed is read as it was, for programs of every set', () => {
  for (const set of FUZZ_SETS) {
    const file: FindingFile = {
      about: ['one', 'two'],
      driver: 'corrected',
      kernel: '6.12',
      patches: ['remove-second-invalidate'],
      program: programOfGenes(set, generateGenes(set, newRandom(3))),
      schedule: 12,
      finding: { rule: 'OR3', text: 'read "0x0"', step: 4 },
    };
    assert.deepEqual(parseFindingFile(JSON.parse(printFindingFile(file))), file);
  }
});

test('a file that is wrong is refused with the place and what was expected', () => {
  assert.equal(complaint({}), 'none');
  assert.match(complaint({ format: 'other' }), /^format: expected .*mmrace-finding-1/);
  assert.match(complaint({ kernel: '6.2' }), /^kernel: expected .*6\.1/);
  assert.match(complaint({ driver: 'perfect' }), /^driver: expected .*faithful/);
  assert.match(complaint({ schedule: -1 }), /^schedule: expected .*0/);
  assert.match(complaint({ extra: 1 }), /^extra: expected /);
  assert.match(complaint({ steps: [] }), /^steps: expected /);
  assert.match(complaint({ steps: [[]] }), /^steps\[0\]: expected /);
  assert.match(complaint({ steps: [[3]] }), /^steps\[0\]\[0\]: expected an object/);
  assert.match(
    complaint({ steps: [[{ op: 'jump' }]] }),
    /^steps\[0\]\[0\]\.op: expected one of load/,
  );
  assert.match(complaint({ steps: [[{ ...STORE, addr: '0x1001' }]] }), /\.addr: expected /);
  assert.match(complaint({ steps: [[{ ...STORE, addr: '0x800000000000' }]] }), /\.addr: expected /);
  assert.match(complaint({ steps: [[{ ...STORE, value: 'one' }]] }), /\.value: expected /);
  assert.match(
    complaint({ steps: [[{ ...STORE, thread: 'third' }]] }),
    /\.thread: expected .*first/,
  );
  assert.match(complaint({ steps: [[STORE, STORE]] }), /^steps\[0\]\[1\]: expected an actor/);
});
