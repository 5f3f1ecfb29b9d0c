/** The seed race by its run sheet, played by two devices over WebSockets and written down for the home page. */
import type { Event } from '../../../server/abi/event.ts';
import { DEFAULT_CONFIG } from '../../../server/app/config.ts';
import { type RunningServer, startServer } from '../../../server/app/start-server.ts';
import { newLabInit } from '../../../server/live/lab-init.ts';
import { asMachine } from '../../../server/live/new-live-machine.ts';
import { LiveMachine } from '../../../server/machine/remote/live-machine.ts';
import type { RunSheet } from '../../../server/protocol/run-sheet.ts';
import { liveScenario } from '../../../server/scenario/live-scenario.ts';
import { AS_WRITTEN, planScenario } from '../../../server/scenario/scenario-plan.ts';
import { shippedScenario } from '../../../server/scenario/shipped-scenarios.ts';
import { startDevice } from '../../agents/device-agent.ts';
import type { PlayedAgent } from '../../agents/played-agent.ts';
import { SessionClosed } from '../../sdk/connection.ts';
import type { RecordedRace, RecordedSide } from '../home/recorded-race.ts';
import { CueProgress } from '../sheet/cue-progress.ts';

export const SEED_RACE_FILE = '../home/seed-race.json';
const SCENARIO = 'seed-zero-page';
const PATCH = 'remove-second-invalidate';
const DEVICES = ['gpu0', 'gpu1'];
/** Milliseconds before a hello that was put off is said again. */
const LATER_MS = 500;
const CAST: { readonly [role: string]: string } = { mover: 'gpu0', reader: 'gpu1' };
/** What the page draws from; locks and the like would only make it heavier. */
const DRAWN: ReadonlySet<Event['kind']> = new Set([
  'attach',
  'pte',
  'mirror',
  'vma',
  'invalidate_range_start',
  'invalidate_range_end',
  'device-access',
  'cpu-access',
  'frame-alloc',
  'frame-free',
  'migration-end',
  'violation',
]);

export async function recordSeedRace(): Promise<RecordedRace> {
  const machines: LiveMachine[] = [];
  const config = { host: '127.0.0.1', port: 0, logLevel: 'fatal', drainMs: 0 } as const;
  const server = await startServer({ ...DEFAULT_CONFIG, ...config }, (machineConfig, sinks) => {
    const machine = new LiveMachine(machineConfig, sinks);
    machines.push(machine);
    return asMachine(machine);
  });
  const newest = () => machines.at(-1)?.world.log.kept ?? [];
  try {
    const stock = await playSide(server, 'stock', newest);
    const patched = await playSide(server, PATCH, newest);
    return { sheet: stock.sheet, page: stock.page, stock: stock.side, patched: patched.side };
  } finally {
    await server.stop();
  }
}

async function playSide(
  server: RunningServer,
  patch: string,
  log: () => readonly Event[],
): Promise<{ readonly sheet: RunSheet; readonly page: number; readonly side: RecordedSide }> {
  const scenario = shippedScenario(SCENARIO);
  if (scenario === 'none' || scenario.sheet === undefined) throw new Error(`${SCENARIO}: no sheet`);
  const { sheet } = scenario;
  const plan = planScenario(scenario, AS_WRITTEN);
  const { config, ...scene } = liveScenario(plan, patch);
  const lab = server.labs.open(patch, config, 'kept', newLabInit({ scenario: SCENARIO, ...scene }));
  if (lab === 'too-many') throw new Error('there is no room for a lab');
  const page = (scenario.vmas[0]?.address ?? 0) / 4096;
  const range = { first: page, end: page + 1 };
  const agents = new Map<string, PlayedAgent>();
  for (const name of DEVICES) {
    const agent = await joined(() =>
      startDevice({
        url: server.webSocketUrl,
        lab: patch,
        name,
        connectMs: 1_000,
        say: () => undefined,
      }),
    );
    agents.set(name, agent);
    await agent.perform(name, { verb: 'peek', range });
  }
  const begun = lab.feed.n;
  for (const { role, do: verbs, value } of sheet.cues) {
    const name = CAST[role] ?? '';
    for (const verb of verbs) {
      const result = await agents.get(name)?.perform(name, {
        verb,
        ...(verb === 'pages' || verb === 'finalize' ? {} : { range }),
        ...(value === undefined ? {} : { values: [value] }),
      });
      if (result?.errno !== 'OK') throw new Error(`${name} ${verb}: ${JSON.stringify(result)}`);
    }
  }
  const progress = new CueProgress(sheet.cues, new Map(Object.entries(CAST)), page);
  progress.see(log());
  const cues = [begun, ...progress.done];
  const drawn = log().filter(({ kind }) => DRAWN.has(kind));
  for (const agent of agents.values()) agent.close();
  return { sheet, page, side: { patch, events: drawn, cues } };
}

/** A server that has just begun on a busy machine puts hellos off. */
async function joined(start: () => PlayedAgent): Promise<PlayedAgent> {
  for (;;) {
    const agent = start();
    try {
      await agent.greeted;
      return agent;
    } catch (error) {
      const closed = error instanceof SessionClosed ? error.closed : undefined;
      if (closed?.why !== 'refused' || closed.refusal.code !== 'under-pressure') throw error;
      await new Promise((resolve) => setTimeout(resolve, LATER_MS));
    }
  }
}
