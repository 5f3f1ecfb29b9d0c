/** What goes wrong before the programs begin is no answer, and is told with rule and history. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { installFaulted } from '../../../../clients/drivers/dmirror/dmirror-fault.ts';
import { dmirrorWith } from '../../../../clients/drivers/dmirror/dmirror-variant.ts';
import { skipRetry } from '../../../../clients/drivers/faulty/skip-retry.ts';
import type { DriverVariant } from '../../../../clients/drivers/interface/driver-variant.ts';
import { HMM_PFN_WRITE, type HmmPfn } from '../../../abi/hmm-pfn.ts';
import { BadSetup, newScenarioRun } from '../../../scenario/scenario-world.ts';
import { answer, planned } from './asked-scenario.fixture.ts';

const TEXT = `
name: faulted-before
title: A device has faulted a page in before anything else happens
provenance: a test
vmas:
  - { name: a, address: 0x100200000, pages: 1, prot: rw, kind: anon-private }
setup:
  - { actor: cpu0, do: store, at: a, value: 1 }
  - { actor: dev0, do: fault-read, at: a }
actors:
  - { name: cpu0, kind: cpu, program: [ { do: load, at: a } ] }
  - { name: dev0, kind: device, program: [ { do: fault-read, at: a } ] }
oracles: [OR1, OR6]
expect: { patches: { stock: holds } }
`;

/** Calls the kernel without mmap_lock. */
const unlocked: DriverVariant = {
  id: 'unlocked',
  provenance: 'a test',
  summary: 'walks without mmap_lock',
  newDevice({ api, ...options }) {
    function* nothing() {}
    return dmirrorWith(
      { ...options, api: { ...api, mmapReadLock: nothing, mmapReadUnlock: nothing } },
      {},
    );
  },
};

/** Maps for writing, whatever the lookup said. */
const overreaching: DriverVariant = {
  id: 'overreaching',
  provenance: 'a test',
  summary: 'maps for writing what may only be read',
  newDevice: (options) =>
    dmirrorWith(options, {
      installFaulted(dmirror, faulted) {
        const pfns = faulted.pfns.map((pfn) => (pfn | HMM_PFN_WRITE) as HmmPfn);
        return installFaulted(dmirror, { ...faulted, pfns });
      },
    }),
};

test('[CR1] [CR12] a driver that breaks the contract in the setup makes a broken setup, with rule and history', () => {
  assert.throws(
    () => newScenarioRun(planned(TEXT, { driver: skipRetry })),
    (error) => {
      assert.ok(error instanceof BadSetup);
      const [said, ...history] = error.message.split('\n');
      assert.match(String(said), /^setup: fault-read of dev0 breaks CR1: dev0 mapped 0x100200000 /);
      assert.ok(
        history.some((line) => /dev0 .*hmm_range_fault/.test(line)),
        error.message,
      );
      return true;
    },
  );
  assert.throws(
    () => newScenarioRun(planned(TEXT, { driver: unlocked })),
    /breaks CR12: dev0 called/,
  );
  assert.equal(answer(TEXT), 'holds');
});

test('[CR14] so does one that maps more than it was given', () => {
  const zeroPage = TEXT.replace('do: store, at: a, value: 1', 'do: load, at: a').replace(
    'OR1, OR6',
    'OR6',
  );
  assert.throws(
    () => newScenarioRun(planned(zeroPage, { driver: overreaching })),
    /breaks CR14: dev0 mapped 0x100200000 .*\n(.*\n)*.*hmm_range_fault/,
  );
  assert.equal(answer(zeroPage), 'holds');
});

test('a rule that the scenario does not ask for breaks no setup', () => {
  const asksLess = TEXT.replace('[OR1, OR6]', '[OR1]');
  assert.equal(answer(asksLess, { driver: skipRetry }), 'holds');
});
