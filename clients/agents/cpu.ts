/**
 * A CPU process: `node clients/agents/cpu.ts --url ws://HOST:PORT/ws --lab LAB --name NAME`. It performs what a
 * conductor asks (cpu-verbs.ts); after a fork also for the child, as an actor of its own.
 */
import { agentArguments, CONNECT_MS, runAgent } from './agent-process.ts';
import { startCpu } from './cpu-agent.ts';

process.exitCode = await runAgent(
  'cpu',
  agentArguments(process.argv.slice(2), process.env, 'cpu0'),
  (args, say) => startCpu({ ...args, connectMs: CONNECT_MS, say }),
);
