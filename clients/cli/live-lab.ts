/**
 * A lab with clients in processes of their own: what the demo and live conformance conduct. The server is in this
 * process, everything between it and the clients goes over real WebSockets.
 */

import type { Performed } from '../../server/live/conductor.ts';
import type { Lab } from '../../server/live/lab.ts';
import type { MachineConfig } from '../../server/machine/machine-config.ts';
import type { LiveMachine } from '../../server/machine/remote/live-machine.ts';
import type { VerbParams } from '../sdk/conductor.ts';
import { ClientProcesses, type ClientSpec } from './client-processes.ts';
import type { LocalServer, OpenedLab } from './local-server.ts';

/** Milliseconds for all clients to start and to join. */
const JOIN_MS = 30_000;
const LOOK_MS = 10;

export const SEED_CLIENTS: readonly ClientSpec[] = [
  { role: 'cpu', name: 'cpu0' },
  { role: 'device', name: 'dev0' },
  { role: 'device', name: 'dev1' },
];

export class LiveLab {
  readonly #opened: OpenedLab;
  readonly #processes = new ClientProcesses();
  #lost = 'none';

  constructor(opened: OpenedLab) {
    this.#opened = opened;
    this.#processes.onLoss = (name, code) => {
      this.#lost = `the client process ${name} ended with code ${code}`;
    };
  }

  get lab(): Lab {
    return this.#opened.lab;
  }

  get machine(): LiveMachine {
    return this.#opened.machine();
  }

  /** Starts the clients and waits until each has joined. Throws an Error that says who is missing. */
  async start(server: LocalServer, clients: readonly ClientSpec[]): Promise<void> {
    const target = { webSocketUrl: server.webSocketUrl, lab: this.lab.joinCode };
    for (const client of clients) this.#processes.start(client, target);
    const names = clients.map(({ name }) => name);
    await this.until(
      () => names.every((name) => this.lab.actors.has(name)),
      () => `${names.filter((name) => !this.lab.actors.has(name)).join(', ')} did not join`,
    );
  }

  /** A fresh machine under the same clients. */
  async renew(config: MachineConfig): Promise<void> {
    // A copy: the server knows machines by their config.
    await this.lab.renew({ ...config });
  }

  /** Throws an Error if the actor is gone or refuses. */
  async perform(actor: string, verb: VerbParams): Promise<{ readonly [name: string]: unknown }> {
    const result = this.#expect(await this.lab.perform(actor, verb), `${actor}: ${verb.verb}`);
    return result as { readonly [name: string]: unknown };
  }

  async hold(actor: string, after: string): Promise<void> {
    this.#expect(await this.lab.hold(actor, after), `${actor}: hold`);
  }

  async untilHeld(actor: string, after: string): Promise<void> {
    const held = await this.lab.untilHeld(actor, after);
    if (held === 'gone') throw new Error(`${actor} left the lab`);
  }

  async go(actor: string): Promise<void> {
    this.#expect(await this.lab.go(actor), `${actor}: go`);
  }

  /** For tests of clients that stand still: SIGSTOP, SIGCONT. */
  signal(actor: string, signal: NodeJS.Signals): void {
    this.#processes.signal(actor, signal);
  }

  /** Looks again and again. Throws an Error with `complaint` when it has taken too long, or a client was lost. */
  async until(reached: () => boolean, complaint: () => string): Promise<void> {
    const giveUpAt = performance.now() + JOIN_MS;
    while (!reached()) {
      if (this.#lost !== 'none') throw new Error(this.#lost);
      if (performance.now() > giveUpAt) throw new Error(complaint());
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Ends the clients. A call that still waits for them gets an Error. */
  end(): Promise<void> {
    this.#lost = 'the clients were ended';
    return this.#processes.end();
  }

  #expect(performed: Performed, what: string): unknown {
    if (performed.ok) return performed.result;
    throw new Error(`${what}: ${this.#lost === 'none' ? performed.why : this.#lost}`);
  }
}
