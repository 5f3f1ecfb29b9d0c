/** Ready-made clients and a lab in one process, over real WebSockets. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Gateway } from '../../server/gateway/gateway.ts';
import type { Lab } from '../../server/live/lab.ts';
import { Labs } from '../../server/live/labs.ts';
import { newLiveMachine } from '../../server/live/new-live-machine.ts';
import { startCpu } from './cpu-agent.ts';
import { startDevice } from './device-agent.ts';
import type { AgentOptions, PlayedAgent } from './played-agent.ts';

export interface Stage {
  readonly lab: Lab;
  /** cpu0 first. */
  readonly agents: readonly PlayedAgent[];
  /** Everything that the agents had to say. */
  readonly said: string[];
  perform(actor: string, verb: string, more?: object): Promise<unknown>;
}

/** A CPU, and two devices as `start` makes them. */
export async function onStage(
  play: (stage: Stage) => Promise<void>,
  start: (options: AgentOptions) => PlayedAgent = startDevice,
): Promise<void> {
  const clock = () => performance.now();
  const labs = new Labs({
    factory: newLiveMachine,
    clock,
    leaseMs: 10_000,
    record: 'none',
    onBug: (_lab, bug) => assert.fail(String(bug)),
  });
  const lab = labs.open('test', { patch: 'stock' }, 'kept');
  assert.ok(lab !== 'too-many');
  const gateway = new Gateway({
    labs,
    clock,
    unknownLabs: 'refused',
    graceMs: 1_000,
    heartbeatMs: 10_000,
    model: { hash: '', version: '' },
    onClosed: () => undefined,
  });
  const server = createServer();
  server.on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const said: string[] = [];
  const options = (name: string) => ({
    url: `ws://127.0.0.1:${port}/ws`,
    lab: 'test',
    name,
    connectMs: 0,
    say: (text: string) => said.push(text),
  });
  const agents: PlayedAgent[] = [startCpu(options('cpu0'))];
  agents.push(start(options('dev0')), start(options('dev1')));
  try {
    while (lab.actors.size < agents.length) await new Promise((resolve) => setImmediate(resolve));
    await play({
      lab,
      agents,
      said,
      perform: async (actor, verb, more = {}) => {
        const performed = await lab.perform(actor, { verb, ...more });
        return performed.ok ? performed.result : performed.why;
      },
    });
  } finally {
    for (const agent of agents) agent.close();
    gateway.close();
    gateway.terminate();
    labs.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
