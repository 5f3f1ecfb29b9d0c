/** For tests: a server in this process, and prompts whose terminals are streams. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { DEFAULT_CONFIG, type ServerConfig } from '../../../server/app/config.ts';
import { type RunningServer, startServer } from '../../../server/app/start-server.ts';
import { startCpu } from '../../agents/cpu-agent.ts';
import { startDevice } from '../../agents/device-agent.ts';
import type { ExitCode } from '../exit-codes.ts';
import { runPrompt } from './run-prompt.ts';
import { parseScript, runScript } from './run-script.ts';
import type { PromptRole } from './verb.ts';

export const TEST_LAB = 'demo';

export async function withServer(
  play: (server: RunningServer) => Promise<void>,
  config: Partial<ServerConfig> = {},
): Promise<void> {
  const quiet = { ...DEFAULT_CONFIG, port: 0, logLevel: 'silent', drainMs: 50 } as const;
  const server = await startServer({ ...quiet, ...config });
  try {
    await play(server);
  } finally {
    await server.stop();
  }
}

export interface TypedPrompt {
  /** Everything that it has shown. */
  readonly shown: () => string;
  /** Types a line, and waits until `answer` is shown behind what was there before. */
  types(line: string, answer?: RegExp): Promise<string>;
  /** Waits until this is shown. */
  shows(text: RegExp): Promise<string>;
  quit(): void;
  /** Ctrl-D. */
  end(): void;
  readonly exit: Promise<ExitCode>;
}

/** A device or CPU whose terminal is two streams. */
export function openPrompt(
  server: Pick<RunningServer, 'webSocketUrl'>,
  role: PromptRole,
  name: string,
  history = join(mkdtempSync(join(tmpdir(), 'mmrace-prompt-')), 'history'),
): TypedPrompt {
  const input = new PassThrough();
  const output = new PassThrough();
  let shown = '';
  const looks = new Set<() => void>();
  output.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    for (const look of looks) look();
  });
  const until = (from: number, text: RegExp): Promise<string> =>
    new Promise((resolve) => {
      const look = (): void => {
        const part = shown.slice(from);
        if (!text.test(part)) return;
        looks.delete(look);
        resolve(part);
      };
      looks.add(look);
      look();
    });
  const exit = runPrompt({
    role,
    name,
    url: server.webSocketUrl,
    lab: TEST_LAB,
    labName: TEST_LAB,
    create: 'if-unknown',
    code: 'ABCDE',
    start: role === 'device' ? startDevice : startCpu,
    input,
    output,
    editing: 'none',
    colour: 'plain',
    history,
    signal: new AbortController().signal,
  });
  return {
    shown: () => shown,
    types: (line, answer = new RegExp(`${name}> $`)) => {
      const from = shown.length;
      input.write(`${line}\n`);
      return until(from, answer);
    },
    shows: (text) => until(0, text),
    quit: () => input.write('quit\n'),
    end: () => input.end(),
    exit,
  };
}

export interface RanScript {
  readonly exit: ExitCode;
  readonly printed: string;
  readonly said: string;
}

export async function script(
  server: Pick<RunningServer, 'webSocketUrl'>,
  role: PromptRole,
  name: string,
  lines: readonly string[],
  form: 'text' | 'json' | 'jsonl' = 'text',
): Promise<RanScript> {
  const printed: string[] = [];
  const said: string[] = [];
  const exit = await runScript({
    role,
    name,
    url: server.webSocketUrl,
    lab: TEST_LAB,
    labName: TEST_LAB,
    create: 'if-unknown',
    start: role === 'device' ? startDevice : startCpu,
    lines: parseScript(lines, role),
    form,
    print: (text) => printed.push(text),
    say: (text) => said.push(text),
  });
  return { exit, printed: printed.join('\n'), said: said.join('\n') };
}
