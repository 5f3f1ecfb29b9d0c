/**
 * Runs what does not return to the event loop so that Ctrl-C can end it: a handler for SIGINT would have to wait for
 * the loop, and so for what it is to end.
 */
import { Script } from 'node:vm';

const SLOT = '__mmraceInterruptible';
const SCRIPT = new Script(`globalThis.${SLOT}()`);

/** Returns what `run` returns, or 'interrupted'; then nothing of `run` is heard of any more. */
export function interruptible<T>(run: () => T): T | 'interrupted' {
  const shared = globalThis as { [SLOT]?: () => T };
  shared[SLOT] = run;
  try {
    return SCRIPT.runInThisContext({ breakOnSigint: true }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_INTERRUPTED') throw error;
    return 'interrupted';
  } finally {
    delete shared[SLOT];
  }
}
