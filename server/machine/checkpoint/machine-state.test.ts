/** A machine that is written down at rest and read again goes on as if nothing had been. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MIRROR_NONE } from '../../abi/device-api.ts';
import { NO_TASK } from '../../task/context.ts';
import { ZERO_CONTENTS } from '../../vocabulary/page-contents.ts';
import type { MachineConfig } from '../machine-config.ts';
import type { Inbound } from '../remote/inbound.ts';
import { NO_CONTENTS } from '../remote/remote-actor.ts';
import { stateDigest } from '../state-digest.ts';
import { type MachineState, machineState, takeMachineState } from './machine-state.ts';
import type { BytesText } from './object-graph.ts';
import { HeardMachine, RandomClients, type Taken } from './random-clients.fixture.ts';

const BYTES: BytesText = {
  textOf: (bytes) => Buffer.from(bytes).toString('base64'),
  bytesOf: (text) => new Uint8Array(Buffer.from(text, 'base64')),
};
const STEPS = 300;
const A_WHILE = 40;
const SEEDS = Number(process.env.MMRACE_SEEDS ?? 8);
const CONFIGS: readonly MachineConfig[] = [
  { patch: 'stock', swapSlots: 8 },
  {
    patch: 'stock',
    kernel: '6.12',
    swapSlots: 8,
    files: [{ id: 0, words: ['0x1', '0x2', '0x3'] }],
  },
  { patch: 'remove-second-invalidate', thp: 'always', ptrsPerPte: 4 },
];

interface Saved {
  readonly text: string;
  readonly digest: string;
  /** Entries taken before. */
  readonly taken: number;
}

function written(heard: HeardMachine): string {
  return JSON.stringify(machineState(heard.machine, BYTES));
}

function machineFrom(config: MachineConfig, text: string): HeardMachine {
  const heard = new HeardMachine(config);
  takeMachineState(heard.machine, JSON.parse(text) as MachineState, BYTES);
  return heard;
}

for (const [at, config] of CONFIGS.entries()) {
  test(`what ${JSON.stringify(config)} says after a checkpoint is what it says without`, () => {
    let rests = 0;
    for (let seed = 0; seed < SEEDS; seed += 1) rests += goOnFromEach(config, seed * 8 + at);
    assert.ok(rests > SEEDS * 100, `${rests} rests`);
  });
}

/** Every 16th rest is written down. From one of them it goes on to the end, from the others for a while. */
function goOnFromEach(config: MachineConfig, seed: number): number {
  const clients = new RandomClients(config, seed);
  const log: Taken[] = [];
  const saved: Saved[] = [];
  let rests = 0;
  for (let step = 0; step < STEPS; step += 1) {
    log.push(clients.step());
    const { machine } = clients.heard;
    if (!machine.atRest) continue;
    rests += 1;
    if (rests % 16 !== 0) continue;
    const digest = stateDigest(machine.world);
    saved.push({ text: written(clients.heard), digest, taken: log.length });
  }
  for (const [at, { text, digest, taken }] of saved.entries()) {
    const again = machineFrom(config, text);
    assert.equal(stateDigest(again.machine.world), digest);
    assert.equal(written(again), text, `seed ${seed} after ${taken}`);
    const end = at === seed % saved.length ? STEPS : taken + A_WHILE;
    for (const [index, entry] of log.slice(taken, end).entries()) {
      const { said } = again.take(entry.inbound);
      assert.deepEqual(said, entry.said, `seed ${seed} from ${taken}, ${index} on`);
    }
    if (end < STEPS) continue;
    assert.equal(stateDigest(again.machine.world), stateDigest(clients.heard.machine.world));
  }
  return rests;
}

test('two machines share nothing that a checkpoint would write into', () => {
  const [a, b] = [1, 2].map((seed) => {
    const clients = new RandomClients({ patch: 'stock' }, seed);
    for (let step = 0; step < STEPS; step += 1) clients.step();
    const { world, clients: own } = clients.heard.machine;
    return partsOf({ world, own, oracles: world.oracles.keeps() });
  });
  assert.ok(a !== undefined && b !== undefined && a.size > 500);
  const shared = [...a].filter(([part]) => b.has(part)).map(([, path]) => path);
  const fn = shared.filter((path) => !/^\.world\.kernel\.fn/.test(path));
  assert.deepEqual(fn, []);
});

/** All objects behind an object, with a way there, but for functions and what a checkpoint knows by name. */
function partsOf(root: object): Map<object, string> {
  const named: object[] = [NO_TASK, ZERO_CONTENTS, MIRROR_NONE, NO_CONTENTS];
  const found = new Map<object, string>();
  const toWalk: [string, unknown][] = [['', root]];
  for (let next = toWalk.pop(); next !== undefined; next = toWalk.pop()) {
    const [path, value] = next;
    if (typeof value !== 'object' || value === null) continue;
    if (found.has(value) || named.includes(value)) continue;
    found.set(value, path);
    if (value instanceof Map || value instanceof Set) {
      for (const [at, item] of [...value].flat().entries()) toWalk.push([`${path}[${at}]`, item]);
    } else if (!ArrayBuffer.isView(value)) {
      for (const [key, item] of Object.entries(value)) toWalk.push([`${path}.${key}`, item]);
    }
  }
  return found;
}

test('a machine that is in the middle of something is not written down', () => {
  const heard = new HeardMachine({ patch: 'stock' });
  const { machine } = heard;
  const range = { first: 0x100, end: 0x101 };
  const request = (actor: string, id: number, method: string, params: object): Inbound => ({
    kind: 'request',
    actor,
    id,
    method,
    params,
    contents: [],
  });
  heard.take({ kind: 'attach', actor: 'gpu0', role: 'device' });
  heard.take({ kind: 'attach', actor: 'cpu0', role: 'cpu' });
  heard.take(request('gpu0', 1, 'mmu_interval_notifier_insert', { range }));
  const region = { address: '0x100000', pages: 1, prot: 'rw', kind: 'anon-private' };
  heard.take(request('cpu0', 1, 'mmap', region));
  assert.ok(machine.atRest);
  heard.take(request('cpu0', 2, 'munmap', { address: '0x100000', pages: 1 }));
  assert.ok(!machine.atRest);
  assert.throws(() => written(heard), /not at rest/);
});
