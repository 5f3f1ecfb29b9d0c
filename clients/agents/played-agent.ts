/** A ready-made client that is played: by a conductor over the wire, and by whoever holds this object. */
import type { VerbParams, VerbResult } from '../sdk/conductor.ts';
import type { ConnectionState, OnLoss } from '../sdk/connection-state.ts';
import type { Agent, AgentArguments } from './agent-process.ts';

/** Hears what happens to an agent. All calls come in the turn in which it happens. */
export interface AgentWatch {
  /** The connection of an actor has another state. */
  readonly moved: (actor: string, state: ConnectionState['state']) => void;
  /** A conductor asks for a verb. */
  readonly asked: (actor: string, params: VerbParams) => void;
  /** A task stands still after the kernel function `after`. */
  readonly held: (actor: string, after: string) => void;
  /** Whoever stood goes on. */
  readonly wentOn?: (actor: string) => void;
  /** An actor begins, or begins anew under another machine: it holds nothing. */
  readonly began: (actor: string) => void;
}

export interface AgentOptions extends AgentArguments {
  /** Milliseconds during which the first connection is tried again. */
  readonly connectMs: number;
  /** 'rejoin' if absent. */
  readonly onLoss?: OnLoss;
  /** See ConnectionOptions. */
  readonly comeBackMs?: number;
  /** One sentence for whoever watches. */
  readonly say: (text: string) => void;
  readonly watch?: AgentWatch;
}

export interface PlayedAgent extends Agent {
  /** Resolved when the server has accepted the first hello. Rejected with SessionClosed. */
  readonly greeted: Promise<unknown>;
  /** Resolved when the server has let go of the name, after the session is over. */
  readonly left: Promise<void>;
  /** The actors of this process, the one that it began with first. */
  actors(): readonly string[];
  /** Performs a verb as if a conductor had asked for it. Rejects: CallRefused, VerbRefused, what a driver throws. */
  perform(actor: string, params: VerbParams): Promise<VerbResult>;
  hold(actor: string, after: string): 'armed' | 'too-many';
  go(actor: string): void;
}

/** The part of a client's options that tells `watch` of `actor`. */
export function watching(
  watch: AgentWatch | undefined,
  actor: string,
): {
  readonly moved?: (state: ConnectionState['state']) => void;
  readonly asked?: (params: VerbParams) => void;
  readonly held?: (after: string) => void;
  readonly wentOn?: () => void;
} {
  if (watch === undefined) return {};
  return {
    moved: (state) => watch.moved(actor, state),
    asked: (params) => watch.asked(actor, params),
    held: (after) => watch.held(actor, after),
    wentOn: () => watch.wentOn?.(actor),
  };
}
