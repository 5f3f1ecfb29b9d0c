import { spawnSync } from 'node:child_process';
import type { Shell } from './completion/scripts.ts';

/** For tests that drive a shell: why one is skipped, or false. */
export function unlessThere(shell: Shell): string | false {
  if (spawnSync(shell, ['--version']).status === 0) return false;
  return `there is no ${shell}: "sudo apt-get install ${shell}" installs it`;
}
