/** A server to be measured, in a process of its own that reports how much CPU it has used. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface BenchServer {
  readonly url: string;
  /** User and system CPU time of the server since it began, in microseconds. */
  cpuMicros(): Promise<number>;
  stop(): void;
}

/** What the processes say to each other. */
export interface ToServer {
  readonly ask: 'cpu';
}
export type FromServer =
  | { readonly kind: 'listening'; readonly url: string }
  | { readonly kind: 'cpu'; readonly micros: number };

/** Milliseconds until a server that has not answered is given up. */
const ANSWER_MS = 10_000;

/** Starts a file of this folder that ends with serveBench(). */
export async function spawnServer(
  file: 'raw-server.ts' | 'lab-server.ts',
  environment: { readonly [variable: string]: string } = {},
): Promise<BenchServer> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const first = await nextMessage(child);
  if (first.kind !== 'listening') throw new Error(`${file} said ${first.kind} first`);
  return {
    url: first.url,
    cpuMicros: async () => {
      const answer = nextMessage(child);
      child.send({ ask: 'cpu' } satisfies ToServer);
      const message = await answer;
      if (message.kind !== 'cpu') throw new Error(`${file} said ${message.kind}`);
      return message.micros;
    },
    stop: () => child.kill(),
  };
}

function nextMessage(child: ChildProcess): Promise<FromServer> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('the server does not answer')), ANSWER_MS);
    const ended = (code: number | null) => reject(new Error(`the server ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      clearTimeout(late);
      child.off('exit', ended);
      resolve(message as FromServer);
    });
  });
}

/** The server's half: says where it listens and answers for its CPU time. Ends with its parent. */
export function serveBench(url: string): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ kind: 'cpu', micros: user + system } satisfies FromServer);
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ kind: 'listening', url } satisfies FromServer);
}
