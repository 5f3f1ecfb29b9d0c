/** The debugger's protocol and the monitor against a real QEMU, with a guest of two CPUs. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  checkQemu,
  keepSnapshot,
  type QemuOptions,
  type RunningGuest,
  startGuest,
} from './qemu.ts';
import { StubGone } from './rsp-client.ts';
import { Symbols } from './symbols.ts';
import { COUNTERS, FIRST_JUMP, FIRST_LOOP, tinyGuest } from './tiny-guest.fixture.ts';
import { NeverReached, Vcpus } from './vcpus.ts';

const RIP = 16;
const missing = checkQemu();
const skip = missing === 'none' ? false : missing;
let folder: string;
let options: QemuOptions;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'mmrace-tiny-'));
  const kernel = join(folder, 'tiny');
  writeFileSync(kernel, tinyGuest());
  options = { folder, files: { kernel, initrd: 'none' }, vcpus: 2 };
});

after(() => rmSync(folder, { recursive: true, force: true }));

async function counted({ rsp }: RunningGuest): Promise<{ first: bigint; second: bigint }> {
  const [first, second] = [COUNTERS.first, COUNTERS.second];
  return { first: await rsp.readU64(0, first), second: await rsp.readU64(0, second) };
}

/** Both CPUs have counted, and stand still. */
async function booted(): Promise<RunningGuest> {
  const guest = await startGuest(options, 'boot');
  for (let both = false; !both; ) {
    await guest.qmp.ask('cont');
    await sleep(50);
    await guest.qmp.ask('stop');
    await guest.rsp.next();
    const { first, second } = await counted(guest);
    both = first > 0n && second > 0n;
  }
  return guest;
}

test('a CPU goes up to a breakpoint while another does not run at all, and steps', {
  skip,
}, async () => {
  const guest = await booted();
  const { rsp } = guest;
  try {
    await rsp.breakAt(FIRST_LOOP);
    rsp.letGo([0]);
    assert.match(await rsp.next(), /^T05/);
    assert.equal(await rsp.readRegister(0, RIP), FIRST_LOOP);
    const before = await counted(guest);
    await rsp.unbreak(FIRST_LOOP);
    await rsp.step(0);
    assert.equal(await rsp.readRegister(0, RIP), FIRST_JUMP);
    assert.deepEqual(await counted(guest), { first: before.first + 1n, second: before.second });
    rsp.letGo([1]);
    await sleep(20);
    rsp.interrupt();
    await rsp.next();
    const later = await counted(guest);
    assert.equal(later.first, before.first + 1n);
    assert.ok(later.second > before.second);
  } finally {
    await guest.end();
  }
});

test('a CPU that takes no interrupts is held by not being run: others go on', {
  skip,
}, async () => {
  const guest = await booted();
  // Of the names that a kernel has, at places of this guest.
  const symbols = new Symbols('00000000000b0000 t stop_this_cpu\n000000000000b000 D pcpu_hot\n');
  const vcpus = new Vcpus(guest.rsp, symbols, 2);
  try {
    await vcpus.goTo(0, [FIRST_LOOP], 10_000);
    await vcpus.hold(0, 'spin');
    const before = await counted(guest);
    // It never comes there, as it does not run.
    await assert.rejects(vcpus.goTo(0, [FIRST_JUMP], 50), NeverReached);
    const held = await counted(guest);
    assert.equal(held.first, before.first);
    assert.ok(held.second > before.second);
    await vcpus.release(0, 10_000);
    await vcpus.goTo(0, [FIRST_LOOP], 10_000);
    assert.equal((await counted(guest)).first, before.first + 1n);
  } finally {
    await guest.end();
  }
});

test('memory and registers are written, and a snapshot brings them back in another process', {
  skip,
}, async () => {
  const guest = await booted();
  try {
    await guest.rsp.writeMemory(0, COUNTERS.first, Buffer.from([7, 0, 0, 0, 0, 0, 0, 0]));
    await guest.rsp.writeRegister(0, RIP, FIRST_LOOP, 4);
    await keepSnapshot(guest);
    guest.rsp.letGo([0, 1]);
    await sleep(20);
    guest.rsp.interrupt();
    await guest.rsp.next();
    assert.ok((await counted(guest)).first > 7n);
  } finally {
    await guest.end();
  }
  for (let run = 0; run < 2; run += 1) {
    const again = await startGuest(options, 'snapshot');
    try {
      assert.equal((await counted(again)).first, 7n);
      assert.equal(await again.rsp.readRegister(0, RIP), FIRST_LOOP);
    } finally {
      await again.end();
    }
  }
});

test('a guest ends with the process that has started it, also if that is killed', {
  skip,
}, async () => {
  const starts = new URL('started-guest.fixture.ts', import.meta.url);
  const parent = spawn(process.execPath, [fileURLToPath(starts), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(parent.stdout, 'data')) as [Buffer];
  const guest = Number(said.toString());
  process.kill(guest, 0);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  const isThere = () => {
    try {
      process.kill(guest, 0);
      return true;
    } catch {
      return false;
    }
  };
  while (isThere()) await sleep(10);
});

test('a guest that ends leaves no process behind, and its waiters hear so', {
  skip,
}, async () => {
  const guest = await booted();
  guest.rsp.letGo([0, 1]);
  const reply = guest.rsp.next();
  await guest.qmp.ask('quit');
  await guest.over;
  const answer = await reply.catch((error: unknown) => error);
  assert.ok(answer instanceof StubGone || /^[WX]/.test(String(answer)), String(answer));
  await assert.rejects(guest.rsp.next(), StubGone);
  await guest.end();
});
