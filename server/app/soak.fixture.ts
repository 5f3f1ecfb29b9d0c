/**
 * `npm run soak -- --minutes N`: a server under clients that never rest, whose connections are cut, and which is killed
 * and told to end and started again, at random. Prints what was acknowledged, what was lost (it throws if anything
 * was), the memory of the server, the longest wait of a client, and the size of the recordings.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { DURABILITY_MODES, type DurabilityMode } from '../journal/durability.ts';
import { Acknowledged } from './acknowledged.fixture.ts';
import { MortalServer } from './mortal-server.fixture.ts';

const CPUS = 4;
const PAUSE_MS_MAX = 1_500;
const EXIT_USAGE = 64;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    durability: { type: 'string', default: 'each' },
  },
});
const durability = DURABILITY_MODES.find((mode) => mode === values.durability);
const minutes = Number(values.minutes);
if (durability === undefined || !(minutes > 0)) {
  process.stderr.write('soak: expected --minutes N, --durability none|batch|each and --seed N\n');
  process.exit(EXIT_USAGE);
}
await soak(durability, minutes, Number(values.seed));

async function soak(mode: DurabilityMode, length: number, seed: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'mmrace-soak-'));
  const random = xoroshiro128plus(seed);
  const upTo = (most: number) => uniformInt(random, 1, most);
  const server = new MortalServer({ directory });
  const counts = { cuts: 0, kills: 0, ends: 0 };
  await server.start(mode);
  const clients = new Acknowledged(server.webSocketUrl, 'demo', CPUS);
  await clients.begin();
  await clients.allAnswered();
  const before = server.rssMib;
  const end = performance.now() + length * 60_000;
  while (performance.now() < end) {
    await sleep(upTo(PAUSE_MS_MAX));
    const what = upTo(10);
    if (what > 2) {
      await cut(server.url, clients.actors[upTo(clients.actors.length) - 1] ?? 'gpu0');
      counts.cuts += 1;
      continue;
    }
    await clients.allAnswered();
    if (what === 1) {
      await server.kill();
      counts.kills += 1;
    } else {
      await server.terminate();
      counts.ends += 1;
    }
    await server.start(mode);
  }
  await clients.allAnswered();
  const after = server.rssMib;
  await clients.end();
  await server.terminate();
  const sizes = readdirSync(directory).map((file) => statSync(join(directory, file)).size);
  const lines = [
    `${length} minutes, durability ${mode}, seed ${seed}: ${CPUS} CPUs, 1 device`,
    `cuts ${counts.cuts}, kills ${counts.kills}, ends ${counts.ends}; every session resumed`,
    `acknowledged ${clients.stores} stores, ${clients.moves} rounds of migrations; lost 0`,
    `memory of the server ${before} MiB at the beginning, ${after} MiB at the end`,
    `longest wait of a client, restarts included: ${Math.round(clients.longestWaitMs)} ms`,
    `recordings: ${sizes.length} files, ${sizes.reduce((sum, size) => sum + size, 0)} bytes`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  rmSync(directory, { recursive: true });
}

/** The connection of the client breaks. A server that is being started answers nothing: then it is broken already. */
async function cut(url: string, actor: string): Promise<void> {
  await fetch(`${url}/api/labs/demo/control`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ action: 'cut', actor }),
  }).catch(() => undefined);
}
