/**
 * A guest in QEMU, under software emulation, stopped and driven through its debugger stub. It is booted once, and each
 * run goes on from the snapshot of that, in a process of its own.
 *
 * Everything stands in a folder of its own; sockets are files in it, and nothing listens on a network.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { emptyQcow2 } from './empty-qcow2.ts';
import { QmpClient } from './qmp-client.ts';
import { RspClient } from './rsp-client.ts';

export const QEMU = 'qemu-system-x86_64';
/** Name of the snapshot. */
const READY = 'ready';
const MEMORY_MIB = 192;
/** Milliseconds for QEMU to open its sockets. */
const OPENS_MS = 10_000;
const LOOK_MS = 10;
/** No clock that a snapshot cannot turn back; a crash ends the guest at once. */
const KERNEL_LINE =
  'console=ttyS0 clocksource=hpet tsc=unstable no_timer_check mitigations=off nokaslr panic=1 oops=panic';

/** What is missing for a guest, and how to get it; 'none' if nothing is. */
export function checkQemu(): string | 'none' {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `guests run on Linux on x86-64 only, not on ${process.platform} on ${process.arch}`;
  }
  const lacking = [
    [QEMU, 'qemu-system-x86'],
    ['gcc', 'gcc'],
    ['nm', 'binutils'],
  ].filter(
    ([program]) => spawnSync(program ?? '', ['--version'], { stdio: 'ignore' }).error !== undefined,
  );
  if (lacking.length === 0) return 'none';
  const programs = lacking.map(([program]) => program).join(', ');
  const packages = lacking.map(([, name]) => name).join(' ');
  return `${programs} is missing: apt-get install ${packages} (or what your distribution calls it)`;
}

export interface GuestFiles {
  readonly kernel: string;
  readonly initrd: string | 'none';
}

export interface RunningGuest {
  readonly pid: number;
  readonly qmp: QmpClient;
  readonly rsp: RspClient;
  /** What it has printed so far. */
  console(): string;
  /** Resolves when the process is over. */
  readonly over: Promise<void>;
  end(): Promise<void>;
}

export interface QemuOptions {
  /** A folder of this guest alone. */
  readonly folder: string;
  readonly files: GuestFiles;
  readonly vcpus: number;
}

/** Starts it stopped: at its first instruction, or where the snapshot was taken. */
export async function startGuest(
  { folder, files, vcpus }: QemuOptions,
  from: 'boot' | 'snapshot',
): Promise<RunningGuest> {
  const [stub, monitor, disk] = ['gdb.sock', 'qmp.sock', 'snap.qcow2'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  rmSync(stub, { force: true });
  rmSync(monitor, { force: true });
  if (from === 'boot') writeFileSync(disk, emptyQcow2());
  const args = [
    ['-M', 'q35', '-cpu', 'max', '-accel', 'tcg,thread=multi'],
    ['-m', `${MEMORY_MIB}`, '-smp', `${vcpus}`, '-nodefaults', '-nographic', '-no-reboot', '-S'],
    ['-serial', 'stdio', '-gdb', `unix:${stub},server=on,wait=off`],
    ['-qmp', `unix:${monitor},server=on,wait=off`],
    ['-drive', `if=none,id=snap,format=qcow2,file=${disk}`],
    ['-kernel', files.kernel, '-append', KERNEL_LINE],
    files.initrd === 'none' ? [] : ['-initrd', files.initrd],
    from === 'snapshot' ? ['-loadvm', READY] : [],
  ].flat();
  const { program, before } = withParent();
  const child = spawn(program, [...before, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const printed: string[] = [];
  child.stdout.on('data', (data: Buffer) => printed.push(data.toString('latin1')));
  child.stderr.on('data', (data: Buffer) => printed.push(data.toString('latin1')));
  const over = ended(child);
  try {
    await Promise.race([opened([stub, monitor]), over.then(() => failed(printed))]);
    const qmp = await QmpClient.connect(monitor);
    const rsp = await RspClient.connect(stub);
    return {
      pid: child.pid ?? 0,
      qmp,
      rsp,
      console: () => printed.join(''),
      over,
      end: async () => {
        rsp.close();
        qmp.close();
        child.kill('SIGKILL');
        await over;
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    await over;
    throw error;
  }
}

/** Resolves when the guest has printed `text`. Rejects if it has not after `ms`. */
export async function untilPrinted(guest: RunningGuest, text: string, ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (!guest.console().includes(text)) {
    const state = await Promise.race([guest.over.then(() => 'over'), sleep(LOOK_MS, 'runs')]);
    if (state === 'over' || performance.now() > end) {
      throw new Error(`the guest did not print ${JSON.stringify(text)}:\n${guest.console()}`);
    }
  }
}

/** Keeps the state of a stopped guest for startGuest(). */
export function keepSnapshot({ qmp }: RunningGuest): Promise<void> {
  return qmp.say(`savevm ${READY}`);
}

/** Of util-linux: what it starts ends with this process, however this one ends. */
const SETPRIV = '/usr/bin/setpriv';

function withParent(): { readonly program: string; readonly before: readonly string[] } {
  if (!existsSync(SETPRIV)) return { program: QEMU, before: [] };
  return { program: SETPRIV, before: ['--pdeathsig', 'KILL', QEMU] };
}

async function ended(child: ChildProcess): Promise<void> {
  await Promise.race([once(child, 'exit'), once(child, 'error')]);
}

async function opened(sockets: readonly string[]): Promise<void> {
  const end = performance.now() + OPENS_MS;
  while (!sockets.every((path) => existsSync(path))) {
    if (performance.now() > end) throw new Error(`QEMU has not opened ${sockets.join(', ')}`);
    await sleep(LOOK_MS);
  }
}

function failed(printed: readonly string[]): never {
  throw new Error(`QEMU has ended: ${printed.join('').trim()}`);
}
