/**
 * Everything that can reach a machine from outside. A lab is a pure function of the list of these: the inbound
 * log on disk, crash recovery, replay and time travel are all this one type (docs/ARCHITECTURE.md).
 */

import type { Event } from '../../abi/event.ts';
import type { RequestId } from '../../protocol/envelope.ts';
import type { Errno } from '../../vocabulary/errno.ts';
import type { PageContents } from '../../vocabulary/page-contents.ts';

export type ActorName = string;
export type ActorRole = 'device' | 'cpu';

export type Inbound = FromClient | FromPresenter;

/** Of one client, or about it. */
export type FromClient =
  | { readonly kind: 'attach'; readonly actor: ActorName; readonly role: ActorRole }
  /** A client went away, by itself or because its lease ran out. */
  | { readonly kind: 'detach'; readonly actor: ActorName }
  /** A device did not answer in time: its DMA is refused from now on and no task waits for it any more. */
  | { readonly kind: 'fence'; readonly actor: ActorName }
  /** A client asks (JSON-RPC request with an id). `params` is validated before it gets here. */
  | {
      readonly kind: 'request';
      readonly actor: ActorName;
      readonly id: RequestId;
      readonly method: string;
      readonly params: unknown;
      readonly contents: readonly PageContents[];
    }
  /** A notification of a client (JSON-RPC). */
  | {
      readonly kind: 'notify';
      readonly actor: ActorName;
      readonly method: string;
      readonly params: unknown;
      readonly contents: readonly PageContents[];
    }
  /** A client answers a question of the machine's. `id` is the question's. */
  | {
      readonly kind: 'answer';
      readonly actor: ActorName;
      readonly id: number;
      readonly outcome:
        | { readonly ok: true; readonly result: unknown }
        | { readonly ok: false; readonly errno: Errno };
    };

/**
 * The hand of the presenter. After 'pause' a machine takes in what arrives and runs nothing, until 'resume';
 * meanwhile each 'step' is one step of a task.
 */
export type FromPresenter =
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** 'next' is the one that would go on if the machine ran. A task that cannot take a step takes none. */
  | { readonly kind: 'step'; readonly task: number | 'next' };

/** Everything that a machine sends to its actors. */
export type Outbound =
  | {
      readonly kind: 'response';
      readonly actor: ActorName;
      readonly id: RequestId;
      readonly outcome:
        | { readonly ok: true; readonly result: unknown }
        | { readonly ok: false; readonly errno: Errno };
      readonly contents: readonly PageContents[];
    }
  /** A question to an actor: invalidate, migrate_to_ram, release. */
  | {
      readonly kind: 'question';
      readonly actor: ActorName;
      readonly id: number;
      readonly method: string;
      readonly params: unknown;
    }
  | {
      readonly kind: 'tell';
      readonly actor: ActorName;
      readonly method: string;
      readonly params: unknown;
    };

/** Where a machine says what came of an event. Called while it runs; they must not call the machine. */
export interface MachineSinks {
  readonly outbound: (outbound: Outbound) => void;
  readonly event: (event: Event) => void;
}
