/** The real thing to be measured: gateway, lab and machine with its oracles, as the server wires them. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Gateway } from '../../../server/gateway/gateway.ts';
import { Labs } from '../../../server/live/labs.ts';
import { LiveMachine } from '../../../server/machine/live-machine.ts';
import { GRACE_MS, HEARTBEAT_MS, LEASE_MS } from '../../../server/protocol/limits.ts';
import { serveBench } from './server-process.ts';

const clock = () => performance.now();
const labs = new Labs({
  factory: (config, sinks) => new LiveMachine(config, sinks),
  clock,
  leaseMs: LEASE_MS,
  record: 'none',
  onBug: (_lab, bug) => {
    throw bug;
  },
});
const gateway = new Gateway({
  labs,
  clock,
  unknownLabs: 'on-demand',
  graceMs: GRACE_MS,
  heartbeatMs: HEARTBEAT_MS,
  model: { hash: 'bench', version: '0' },
  onClosed: () => undefined,
});
const server = createServer();
server.on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head));
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  serveBench(`ws://127.0.0.1:${port}/ws`);
});
