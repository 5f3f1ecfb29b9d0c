/**
 * Loaded before a server (`node --import`): the process is killed as if by kill -9 at its MMRACE_DIE_AT'th call that
 * changes a file, in the middle of it if it writes bytes. So a test can stop it between any two of its steps.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

let left = Number(process.env.MMRACE_DIE_AT);

const CHANGES = [
  'writeSync',
  'writeFileSync',
  'renameSync',
  'ftruncateSync',
  'fsyncSync',
  'fdatasync',
  'fdatasyncSync',
  'linkSync',
  'unlinkSync',
  'rmSync',
  'mkdirSync',
] as const;

type Call = (...args: readonly unknown[]) => unknown;

function dies(name: string, call: Call): Call {
  return (...args) => {
    left -= 1;
    if (left === 0) {
      const [file, bytes, from = 0] = args;
      if (name === 'writeSync' && bytes instanceof Uint8Array) {
        // Half of what was to be written.
        call(file, bytes, from, Math.floor((bytes.length - Number(from)) / 2));
      }
      process.kill(process.pid, 'SIGKILL');
    }
    return call(...args);
  };
}

/** Of a checkpoint, which is written beside everything else. */
for (const name of ['open', 'rename'] as const) {
  Object.assign(fs.promises, { [name]: dies(name, fs.promises[name] as Call) });
}

for (const name of CHANGES) {
  Object.assign(fs, { [name]: dies(name, fs[name] as Call) });
}
syncBuiltinESMExports();
