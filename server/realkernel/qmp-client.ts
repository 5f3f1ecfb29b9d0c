/** QEMU's monitor, one JSON object a line. Source: QEMU docs/interop/qmp-spec.rst. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

interface Answer {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
  readonly event?: string;
}

export class QmpClient {
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  static async connect(path: string): Promise<QmpClient> {
    const socket = connect(path);
    await once(socket, 'connect');
    const client = new QmpClient(socket);
    await client.#lines.next();
    await client.ask('qmp_capabilities');
    return client;
  }

  /** Rejects with what QEMU says is wrong, or that it is gone. */
  async ask(command: string, args: object = {}): Promise<unknown> {
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`${command}: QEMU has ended`);
      const answer: Answer = JSON.parse(value);
      if (answer.event !== undefined) continue;
      if (answer.error !== undefined) throw new Error(`${command}: ${answer.error.desc}`);
      return answer.return;
    }
  }

  /** A command of the monitor for people: savevm has no other way in. Rejects with what it prints. */
  async say(line: string): Promise<void> {
    const said = await this.ask('human-monitor-command', { 'command-line': line });
    if (said !== '') throw new Error(`${line}: ${String(said).trim()}`);
  }

  close(): void {
    this.#socket.destroy();
  }
}
