/**
 * What every ready-made client process has in common: its arguments, its signals, its exit code and its last words.
 */

import { parseArgs } from 'node:util';
import { CLOSE_CODES } from '../../server/protocol/close-codes.ts';
import { assertNever } from '../../server/vocabulary/invariant.ts';
import { type ClosedWhy, closedSentence } from '../sdk/connection-state.ts';

/** Milliseconds during which an agent tries to reach a server that is not there yet. */
export const CONNECT_MS = 10_000;

export const DEFAULT_URL = 'ws://127.0.0.1:7070/ws';
export const DEFAULT_LAB = 'demo';

export const AGENT_EXIT = {
  /** A signal asked it to end, or the server has ended and no other comes in its place. */
  OK: 0,
  /** The arguments are wrong. */
  USAGE: 64,
  /** The server cannot be reached, refuses for good, or has ended the session for good. */
  UNAVAILABLE: 69,
} as const;

export type AgentExit = (typeof AGENT_EXIT)[keyof typeof AGENT_EXIT];

export interface AgentArguments {
  /** `ws://127.0.0.1:7070/ws` */
  readonly url: string;
  readonly lab: string;
  readonly name: string;
}

const STOPPING = ['SIGTERM', 'SIGINT', 'disconnect'] as const;

/** A running agent, as its process sees it. */
export interface Agent {
  readonly close: () => void;
  readonly closed: Promise<ClosedWhy>;
}

/** Flags win over the environment (MMRACE_URL, MMRACE_LAB, MMRACE_NAME), the environment over the defaults. */
export function agentArguments(
  args: readonly string[],
  environment: { readonly [name: string]: string | undefined },
  defaultName: string,
): AgentArguments | { readonly wrong: string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { url: { type: 'string' }, lab: { type: 'string' }, name: { type: 'string' } },
    });
    return {
      url: values.url ?? environment.MMRACE_URL ?? DEFAULT_URL,
      lab: values.lab ?? environment.MMRACE_LAB ?? DEFAULT_LAB,
      name: values.name ?? environment.MMRACE_NAME ?? defaultName,
    };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Runs an agent until it ends or SIGTERM or SIGINT says so, or the process that keeps a channel to this one is gone.
 * Returns the exit code.
 */
export async function runAgent(
  role: string,
  parsed: AgentArguments | { readonly wrong: string },
  start: (args: AgentArguments, say: (text: string) => void) => Agent,
): Promise<AgentExit> {
  const say = (text: string): void => {
    process.stderr.write(`mmrace ${role}: ${text}\n`);
  };
  if ('wrong' in parsed) {
    say(`${parsed.wrong} (known are --url, --lab, --name)`);
    return AGENT_EXIT.USAGE;
  }
  let agent: Agent;
  try {
    agent = start(parsed, say);
  } catch (error) {
    say(`${parsed.url}: ${error instanceof Error ? error.message : String(error)}`);
    return AGENT_EXIT.USAGE;
  }
  const stop = (): void => agent.close();
  for (const event of STOPPING) process.once(event, stop);
  const closed = await agent.closed;
  for (const event of STOPPING) process.removeListener(event, stop);
  const exit = exitOf(closed);
  if (closed.why !== 'ended') say(`${parsed.name} at ${parsed.url}: ${closedSentence(closed)}`);
  return exit;
}

export function exitOf(closed: ClosedWhy): AgentExit {
  switch (closed.why) {
    case 'ended':
      return AGENT_EXIT.OK;
    case 'refused':
    case 'unreachable':
      return AGENT_EXIT.UNAVAILABLE;
    case 'lost':
      return closed.code === CLOSE_CODES.going.code ? AGENT_EXIT.OK : AGENT_EXIT.UNAVAILABLE;
    default:
      return assertNever(closed);
  }
}
