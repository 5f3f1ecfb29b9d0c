/** For tests: the command line as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ProcessRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  /** Resolved when the process and everybody who writes to its stderr, as its own clients do, have ended. */
  readonly ended: Promise<ProcessRun>;
  /** Resolves with what it has said on stderr, once that holds `text`. Rejects if it ends without. */
  says(text: string): Promise<string>;
}

/** Starting takes half as long where the sources are compiled already. */
const COMPILED = join(tmpdir(), 'mmrace-tests-compiled');
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/** Starts `mmrace` with `args`. */
export function startMmrace(...args: readonly string[]): Running {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { NODE_COMPILE_CACHE: COMPILED, ...process.env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<ProcessRun>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  const says = (text: string): Promise<string> => {
    const said = new Promise<string>((resolve) => {
      const look = () => {
        if (stderr.includes(text)) resolve(stderr);
      };
      child.stderr.on('data', look);
      look();
    });
    const silent = ended.then(({ code }) => {
      throw new Error(`ended with ${code} before it said "${text}":\n${stdout}${stderr}`);
    });
    return Promise.race([said, silent]);
  };
  return { process: child, ended, says };
}

/** Runs `mmrace` with `args` to its end. */
export function runMmrace(...args: readonly string[]): Promise<ProcessRun> {
  return startMmrace(...args).ended;
}
