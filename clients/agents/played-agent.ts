/** A ready-made client that is played: by a conductor over the wire, and by the holder of this object. */
import type { PgmapOwner } from '../../server/abi/device-api.ts';
import type { Pong } from '../../server/protocol/ping.ts';
import type { VerbParams, VerbResult } from '../sdk/conductor.ts';
import type { ParkedSession } from '../sdk/connection.ts';
import type { ConnectionState, OnLoss } from '../sdk/connection-state.ts';
import type { ClientPast } from '../sdk/moments.ts';
import type { Agent, AgentArguments } from './agent-process.ts';
import type { ParkedDevice } from './parked-device.ts';

/** Hears what happens to an agent. All calls come in the turn in which it happens. */
export interface AgentWatch {
  /** The connection of an actor has another state. */
  readonly moved: (actor: string, state: ConnectionState['state']) => void;
  /** A conductor asks for a verb. */
  readonly asked: (actor: string, params: VerbParams) => void;
  /** A task stands still after the kernel function `after`. */
  readonly held: (actor: string, after: string) => void;
  /** The tasks that stood go on. */
  readonly wentOn?: (actor: string) => void;
  /** An actor begins, or begins anew under another machine: it holds nothing. */
  readonly began: (actor: string) => void;
}

export interface AgentOptions extends AgentArguments {
  /** Milliseconds during which the first connection is tried again. */
  readonly connectMs: number;
  /** See ConnectionOptions. */
  readonly create?: 'if-unknown' | 'never';
  /** See ConnectionOptions. */
  readonly takeOver?: 'when-lost' | 'never';
  /** 'rejoin' if absent. */
  readonly onLoss?: OnLoss;
  /** See ConnectionOptions. */
  readonly comeBackMs?: number;
  /** Of a device: see DriverOptions. */
  readonly pgmapOwner?: PgmapOwner | undefined;
  /** One sentence for an observer. */
  readonly say: (text: string) => void;
  readonly watch?: AgentWatch;
  /** What park() has given. */
  readonly parked?: ParkedAgent;
}

/** A client between two loads of a page, as plain data. */
export interface ParkedAgent {
  readonly session: ParkedSession;
  /** Of a device. */
  readonly device: ParkedDevice | 'none';
  /** Moments that the lab may go back to; the device was 'nothing' in those of a CPU. */
  readonly past: ClientPast<ParkedDevice | 'nothing'>;
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
  /** Asks the server whether it is there. Rejects: CallRefused. */
  ping(actor: string): Promise<Pong>;
  hold(actor: string, after: string): 'armed' | 'too-many';
  go(actor: string): void;
  /** Leaves the session as it is, to be gone on with. 'busy': something is under way, and nothing is done. */
  park(): ParkedAgent | 'busy';
}

/** The part of a client's options that gives `watch` the `actor`: its name at that time. */
export function watching(
  watch: AgentWatch | undefined,
  actor: () => string,
): {
  readonly moved?: (state: ConnectionState['state']) => void;
  readonly asked?: (params: VerbParams) => void;
  readonly held?: (after: string) => void;
  readonly wentOn?: () => void;
} {
  if (watch === undefined) return {};
  return {
    moved: (state) => watch.moved(actor(), state),
    asked: (params) => watch.asked(actor(), params),
    held: (after) => watch.held(actor(), after),
    wentOn: () => watch.wentOn?.(actor()),
  };
}
