/** Client processes that a command starts beside itself, and ends again. They end with it, however it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ClientSpec {
  readonly role: 'device' | 'cpu';
  readonly name: string;
  /** A program that takes --url, --lab and --name, in place of the ready-made client: ['python3', 'mine.py']. */
  readonly program?: readonly [string, ...string[]];
}

export interface ClientTarget {
  readonly webSocketUrl: string;
  readonly lab: string;
}

/** Milliseconds between SIGTERM and SIGKILL. */
const KILL_AFTER_MS = 3_000;

export class ClientProcesses {
  readonly #children = new Map<string, ChildProcess>();
  /** Called when a client ends that was not asked to. */
  onLoss: (name: string, code: number | null) => void = () => undefined;
  #state: 'running' | 'ending' = 'running';

  start({ role, name, program }: ClientSpec, { webSocketUrl, lab }: ClientTarget): void {
    const [command, ...args] = program ?? [process.execPath, agentPath(role)];
    const child = spawn(command, [...args, '--url', webSocketUrl, '--lab', lab, '--name', name], {
      // They talk on stderr only. The channel breaks when this process ends: see agent-process.ts.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // A Ctrl-C in the terminal is for this process, which then ends them.
      detached: true,
    });
    this.#children.set(name, child);
    child.once('exit', (code) => {
      this.#children.delete(name);
      if (this.#state === 'running') this.onLoss(name, code);
    });
  }

  /** Sends a signal to one of them. Throws an Error if there is none of that name. */
  signal(name: string, signal: NodeJS.Signals): void {
    const child = this.#children.get(name);
    if (child === undefined) throw new Error(`there is no client process ${name}`);
    child.kill(signal);
  }

  /** Ends all, and waits until they have ended. */
  async end(): Promise<void> {
    this.#state = 'ending';
    await Promise.all([...this.#children.values()].map(endOf));
  }
}

/** The agents stand beside the command line, as sources or built. */
function agentPath(role: ClientSpec['role']): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../agents/${role}.${extension}`, import.meta.url));
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    child.once('exit', () => {
      clearTimeout(patience);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
