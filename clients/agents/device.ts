/**
 * A device process: dmirror over the SDK. `node clients/agents/device.ts --url ws://HOST:PORT/ws --lab LAB
 * --name NAME`. It answers what the kernel asks and performs what a conductor asks (device-verbs.ts).
 */
import { agentArguments, CONNECT_MS, runAgent } from './agent-process.ts';
import { startDevice } from './device-agent.ts';

process.exitCode = await runAgent(
  'device',
  agentArguments(process.argv.slice(2), process.env, 'dev0'),
  (args, say) => startDevice({ ...args, connectMs: CONNECT_MS, say }),
);
