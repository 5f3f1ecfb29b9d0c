import type { ExitCode } from './exit-codes.ts';

/** Makes a command's answer the exit code of the process. */
export function ending<Args extends readonly unknown[]>(
  run: (...args: Args) => Promise<ExitCode>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    process.exitCode = await run(...args);
  };
}

/** Data goes to stdout. */
export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Talk goes to stderr. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Resolves with the first SIGINT or SIGTERM. A second one ends the process at once. */
export function untilSignal(): Promise<'SIGINT' | 'SIGTERM'> {
  return new Promise((resolve) => {
    let signals = 0;
    const stop = (signal: 'SIGINT' | 'SIGTERM'): void => {
      signals += 1;
      if (signals > 1) process.exit(130);
      resolve(signal);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}
