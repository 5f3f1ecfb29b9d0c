/** For tests: the command line, in the process of the test or in one of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { fileURLToPath } from 'node:url';
import { failed } from './failure.ts';
import { newProgram } from './program.ts';

/** As process.exitCode may be, and null for a process that a signal ended. */
export type ExitStatus = number | string | null;

export interface ProcessRun {
  readonly code: ExitStatus;
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

/** Runs `mmrace` with `args` to its end, as a process. */
export function runProcess(...args: readonly string[]): Promise<ProcessRun> {
  return startMmrace(...args).ended;
}

let before: Promise<unknown> = Promise.resolve();

/**
 * Runs `mmrace` with `args` to its end, in this process and one after the other: to start a process and to load
 * everything there takes longer than most commands. For what reads stdin, hears signals, or imports a file
 * that has changed since, there are startMmrace() and runProcess().
 */
export function runMmrace(...args: readonly string[]): Promise<ProcessRun> {
  const run = before.then(() => runHere(args));
  before = run;
  return run;
}

async function runHere(args: readonly string[]): Promise<ProcessRun> {
  const said = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) => {
    const stream = process[name];
    const write = stream.write.bind(stream);
    return mock.method(stream, 'write', (...args: Parameters<typeof stream.write>): boolean => {
      const [chunk] = args;
      // What the test runner says of tests is no text.
      if (typeof chunk !== 'string') return write(...args);
      said[name] += chunk;
      return true;
    });
  });
  try {
    const program = await newProgram(args[0]);
    await program.parseAsync([...args], { from: 'user' });
    return { code: process.exitCode ?? 0, ...said };
  } catch (error) {
    const { exitCode, text } = failed(error);
    return { code: exitCode, stdout: said.stdout, stderr: said.stderr + text };
  } finally {
    process.exitCode = undefined;
    for (const spy of spies) spy.mock.restore();
  }
}
