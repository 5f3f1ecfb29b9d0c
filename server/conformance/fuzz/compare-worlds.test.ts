import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DMIRROR_FUNCTIONS } from '../../../clients/drivers/dmirror/dmirror.ts';
import { newMachineWorld } from '../traces/machine-world.ts';
import { compareWorlds, sequenceOf } from './compare-worlds.ts';
import type { FuzzProgram } from './fuzz-program.ts';
import { generateGenes } from './generate-genes.ts';
import { programOfGenes } from './genes.ts';
import { newRandom } from './random.ts';

const TRACED = { id: 'test', set: 'fork', seed: 0, steps: [] };

const MIGRATES: FuzzProgram = {
  set: 'fork',
  steps: [
    [
      {
        op: { op: 'mmap', addr: '0x100200000', pages: 1, prot: 'rw', kind: 'anon-private' },
        thread: 'first',
      },
      { op: { op: 'load', actor: 'cpu1', addr: '0x100200000' }, thread: 'first' },
    ],
    [{ op: { op: 'migrate-to-dev', dev: 0, addr: '0x100200000', pages: 1 }, thread: 'first' }],
  ],
};

test('operations of a child that does not live, and of a second one, are left out', () => {
  assert.deepEqual(
    sequenceOf(MIGRATES).map(({ op }) => op),
    ['mmap', 'migrate-to-dev'],
  );
  const fork = { op: { op: 'fork' }, thread: 'first' } as const;
  const twice: FuzzProgram = { set: 'fork', steps: [[fork], [fork]] };
  assert.equal(sequenceOf(twice).length, 1);
});

test('two worlds of one kind agree on random programs', async () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const ops = sequenceOf(programOfGenes('fork', generateGenes('fork', newRandom(seed))));
    const worlds = [newMachineWorld(TRACED), newMachineWorld(TRACED)] as const;
    assert.equal(await compareWorlds(ops, ...worlds), 'same');
  }
});

test('worlds that differ are told apart at the first operation that shows it', async () => {
  const driver = { ...DMIRROR_FUNCTIONS, *mapMigrated() {} };
  const other = newMachineWorld(TRACED, { driver });
  assert.deepEqual(await compareWorlds(sequenceOf(MIGRATES), newMachineWorld(TRACED), other), {
    op: 1,
    name: 'migrate-to-dev',
    difference: { field: 'result.errno', expected: 'OK', actual: 'ENOENT' },
  });
});
