/**
 * Three servers with one Redis, and clients that store without end: how long nobody has the lab when its server is
 * killed (kill -9), and how long after Redis comes back, having been away, everybody is answered again.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Acknowledged } from '../../../server/app/acknowledged.fixture.ts';
import { bundleServer } from '../../../server/app/bundled-server.fixture.ts';
import { MortalServer } from '../../../server/app/mortal-server.fixture.ts';
import { OwnRedis, WITHOUT_REDIS } from '../../../server/cluster/redis-server.fixture.ts';
import type { Bench, Effort, Measurement } from '../../../server/tidy/benchmark.ts';

const LAB = 'demo';
const SERVERS = 3;
const OWNER_LEASE_MS = 3_000;
/** Microseconds: the lease and a second. */
const TAKEOVER_AT_MOST = (OWNER_LEASE_MS + 1_000) * 1_000;
const LOOK_MS = 5;

async function measure(effort: Effort): Promise<Measurement[]> {
  if (WITHOUT_REDIS !== false) throw new Error(WITHOUT_REDIS);
  const { kills, awayMs } =
    effort === 'full' ? { kills: 7, awayMs: 10_000 } : { kills: 1, awayMs: 1_000 };
  const bundle = mkdtempSync(join(tmpdir(), 'mmrace-takeover-'));
  const main = await bundleServer(bundle);
  const redis = await OwnRedis.start();
  const kept = { url: redis.url, ownerLeaseMs: OWNER_LEASE_MS };
  const servers = Array.from({ length: SERVERS }, () => new MortalServer({ main, redis: kept }));
  try {
    for (const server of servers) assert.equal(await server.start('each'), 'listens');
    const clients = new Acknowledged((servers[0] as MortalServer).webSocketUrl, LAB);
    await clients.begin();
    const taken: number[] = [];
    const answered: number[] = [];
    for (let kill = 0; kill < kills; kill += 1) {
      await clients.allAnswered();
      const owner = await ownerAmong(servers);
      await owner.kill();
      const killedAt = performance.now();
      await ownerAmong(servers);
      taken.push((performance.now() - killedAt) * 1_000);
      await clients.allAnswered();
      answered.push((performance.now() - killedAt) * 1_000);
      await owner.start('each');
    }
    redis.pause();
    await sleep(awayMs);
    redis.goOn();
    const backAt = performance.now();
    await clients.allAnswered();
    const back = (performance.now() - backAt) * 1_000;
    // Throws if anything that was acknowledged is lost, or a session.
    await clients.end();
    return [
      {
        name: `kill -9 to the lab at another server, lease ${OWNER_LEASE_MS} ms`,
        unit: 'us',
        values: taken,
        atMost: TAKEOVER_AT_MOST,
      },
      { name: 'kill -9 to all clients answered', unit: 'us', values: answered },
      {
        name: `Redis back after ${awayMs} ms to all clients answered`,
        unit: 'us',
        values: [back],
      },
    ];
  } finally {
    redis.goOn();
    for (const server of servers) await server.kill();
    await redis.end();
    rmSync(bundle, { recursive: true, force: true });
  }
}

/** The one in which the lab is where it was. */
async function ownerAmong(servers: readonly MortalServer[]): Promise<MortalServer> {
  for (;;) {
    for (const server of servers) {
      const answer = await fetch(`${server.url}/api/labs/${LAB}`, { redirect: 'manual' }).catch(
        () => 'gone' as const,
      );
      if (answer === 'gone') continue;
      const { state } = (await answer.json()) as { readonly state?: string };
      if (state === 'open') return server;
    }
    await sleep(LOOK_MS);
  }
}

export const benches: readonly Bench[] = [
  { name: 'a lab that outlives its server', run: (effort) => measure(effort) },
];
