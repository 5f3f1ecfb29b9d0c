/**
 * The page while 16 scripted devices fault as fast as they can: how long its frames take, and what a spectator costs
 * the server. Server, devices, spectator and browser share the cores of one machine.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  against,
  type Bench,
  type Effort,
  type Measurement,
  repetitions,
} from '../../../server/tidy/benchmark.ts';
import { openCpuPeer, openDevicePeer } from '../../cli/bench/lab-peer.ts';
import { keepGoing, type Peer } from '../../cli/bench/peer.ts';
import { type BenchServer, spawnServer } from '../../cli/bench/server-process.ts';
import { ensurePage } from '../build/ensure-page.ts';
import { DESK, launchBrowser, PHONE, PROJECTOR } from './page-under-test.ts';
import { appears } from './seen.ts';

const DEVICES = 16;
const IN_FLIGHT = 4;
/** 95 of 100 frames are to be shorter. */
const FRAME_US_MAX = 20_000;
/** Throughput without a spectator against that with one: 1 / 0.8. */
const SPECTATOR_COST_MAX = 1.25;
const FIRST_PAINT_US_MAX = 500_000;
const STAGE_DEVICES = 20;
const STAGE_PHONES = 18;
const LAB = 'bench';
/** Of few frames the 95th of 100 is chance: they are watched for so many times the usual while. */
const FRAMES_STRETCH = 3;
/** Milliseconds for the page to come to rest, and for a spectator to be there. */
const SETTLE_MS = 700;

async function openPeers(
  url: string,
  count = DEVICES,
): Promise<{ readonly cpu: Peer; readonly devices: Peer[] }> {
  const cpu = await openCpuPeer(url);
  const names = Array.from({ length: count }, (_, at) => `gpu${at}`);
  return { cpu, devices: await Promise.all(names.map((name) => openDevicePeer(url, name))) };
}

async function withServer<T>(
  measure: (server: BenchServer, devices: readonly Peer[]) => Promise<T>,
  count = DEVICES,
): Promise<T> {
  const server = await spawnServer('lab-server.ts');
  const { cpu, devices } = await openPeers(server.url, count);
  try {
    return await measure(server, devices);
  } finally {
    for (const peer of [cpu, ...devices]) peer.close();
    server.stop();
  }
}

async function frames(effort: Effort): Promise<Measurement[]> {
  await ensurePage();
  const { count, ms } = repetitions(effort);
  const launched = await launchBrowser();
  try {
    return await withServer(async (server, devices) => {
      const page = await launched.browser.newPage({ viewport: DESK });
      await page.goto(`${httpAddress(server)}lab/${LAB}`);
      await page.waitForTimeout(SETTLE_MS);
      const p95: number[] = [];
      const share: number[] = [];
      for (let turn = 0; turn < count; turn += 1) {
        await page.evaluate(() => {
          globalThis.mmraceFrames = [];
        });
        await keepGoing(devices, IN_FLIGHT, ms * FRAMES_STRETCH);
        const taken = await page.evaluate(() => globalThis.mmraceFrames ?? []);
        const sorted = taken.toSorted((a, b) => a - b);
        p95.push((sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN) * 1_000);
        const late = taken.filter((each) => each * 1_000 > FRAME_US_MAX).length;
        share.push(late / Math.max(1, taken.length) / 0.05);
      }
      return [
        { name: 'frame, 95th of 100', unit: 'us', values: p95, atMost: FRAME_US_MAX },
        { name: 'frames above 20 ms, against 5 of 100', unit: 'x', values: share },
      ];
    });
  } finally {
    await launched.close();
  }
}

/**
 * A stage of a lab with 20 devices that fault, while 18 phones load their page and join: a busy minute of a room. In a
 * room phones are machines of their own, so theirs is a browser that gets what stage and server leave.
 */
async function stageFrames(effort: Effort): Promise<Measurement[]> {
  await ensurePage();
  const { ms } = repetitions(effort);
  const launched = await launchBrowser();
  const hands = await launchBrowser('left over');
  try {
    return await withServer(async (server, devices) => {
      const address = httpAddress(server);
      const stage = await launched.browser.newPage({ viewport: PROJECTOR });
      await stage.goto(`${address}lab/${LAB}/stage`);
      await stage.waitForTimeout(SETTLE_MS);
      const phones = Promise.all(
        Array.from({ length: STAGE_PHONES }, async () => {
          const context = await hands.browser.newContext({ viewport: PHONE });
          const page = await context.newPage();
          await page.goto(`${address}lab/${LAB}/device/auto`);
          await appears(page.getByText('connected'));
        }),
      );
      const [busy, calm] = await Promise.all([
        stage.evaluate(framesFor, ms * FRAMES_STRETCH),
        keepGoing(devices, IN_FLIGHT, ms * FRAMES_STRETCH).then(() => phones),
      ]).then(async ([during]) => [during, await stage.evaluate(framesFor, ms)] as const);
      return [
        { name: 'stage frames while all join', unit: '1/s', values: [busy] },
        { name: 'stage frames when they have', unit: '1/s', values: [calm] },
      ];
    }, STAGE_DEVICES);
  } finally {
    await hands.close();
    await launched.close();
  }
}

/** In the page: frames a second, counted for `ms`. */
function framesFor(ms: number): Promise<number> {
  return new Promise((resolve) => {
    const begun = performance.now();
    let frames = 0;
    const next = () => {
      frames += 1;
      const passed = performance.now() - begun;
      if (passed < ms) requestAnimationFrame(next);
      else resolve((frames * 1_000) / passed);
    };
    requestAnimationFrame(next);
  });
}

async function spectatorCost(effort: Effort): Promise<Measurement[]> {
  const { count, ms } = repetitions(effort);
  return withServer(async (server, devices) => {
    const alone = { rate: [] as number[], cpu: [] as number[] };
    const watched = { rate: [] as number[], cpu: [] as number[] };
    await keepGoing(devices, IN_FLIGHT, ms);
    for (let turn = 0; turn < count; turn += 1) {
      await measureRate(server, devices, ms, alone);
      const spectator = await startSpectator(server.url);
      await measureRate(server, devices, ms, watched);
      spectator.kill();
    }
    return [
      { name: 'round trips without a spectator', unit: '1/s', values: alone.rate },
      { name: 'round trips with one', unit: '1/s', values: watched.rate },
      {
        ...against('round trips, without against with one', alone.rate, watched.rate),
        atMost: SPECTATOR_COST_MAX,
      },
      against('server CPU a round trip, with one against without', watched.cpu, alone.cpu),
    ];
  });
}

async function measureRate(
  server: BenchServer,
  devices: readonly Peer[],
  ms: number,
  into: { readonly rate: number[]; readonly cpu: number[] },
): Promise<void> {
  const before = await server.cpuMicros();
  const begun = performance.now();
  const rounds = await keepGoing(devices, IN_FLIGHT, ms);
  into.rate.push((rounds * 1_000) / (performance.now() - begun));
  into.cpu.push(((await server.cpuMicros()) - before) / rounds);
}

function startSpectator(url: string): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('./spectator.ts', import.meta.url)), [url, LAB]);
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve(child));
    child.once('exit', (code) => reject(new Error(`the spectator ended with ${code}`)));
  });
}

/** From the request to the first thing that is painted, of a page that the browser has not seen before. */
async function firstPaint(effort: Effort): Promise<Measurement[]> {
  await ensurePage();
  const { count } = repetitions(effort);
  const server = await spawnServer('lab-server.ts');
  const launched = await launchBrowser();
  const values: number[] = [];
  try {
    for (let turn = 0; turn < count; turn += 1) {
      const context = await launched.browser.newContext({ viewport: DESK });
      const page = await context.newPage();
      await page.goto(httpAddress(server));
      await page.waitForTimeout(SETTLE_MS);
      const [paint] = await page.evaluate(() =>
        performance.getEntriesByName('first-contentful-paint').map(({ startTime }) => startTime),
      );
      values.push((paint ?? Number.NaN) * 1_000);
      await context.close();
    }
  } finally {
    await launched.close();
    server.stop();
  }
  return [{ name: 'first paint', unit: 'us', values, atMost: FIRST_PAINT_US_MAX }];
}

function httpAddress({ url }: BenchServer): string {
  return url.replace('ws:', 'http:').replace(/\/ws$/, '/');
}

export const benches: readonly Bench[] = [
  { name: 'the page from loopback', run: firstPaint },
  {
    name: `the stage with ${STAGE_DEVICES} devices and ${STAGE_PHONES} phones`,
    run: stageFrames,
  },
  { name: `a spectator of ${DEVICES} devices that fault as fast as they can`, run: spectatorCost },
  { name: `frames of the page while ${DEVICES} devices fault as fast as they can`, run: frames },
];
