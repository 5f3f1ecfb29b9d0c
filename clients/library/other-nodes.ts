import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first major version that has all that the library needs: WebSocket, Promise.withResolvers. */
const MAJOR_MIN = 22;

/** For tests: programs called `node` in PATH, other than the one that runs and new enough for the library. */
export function otherNodes(): string[] {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const programs = folders.map((folder) => join(folder, 'node')).filter((path) => existsSync(path));
  const others = new Set(programs.map((path) => realpathSync(path)));
  others.delete(realpathSync(process.execPath));
  return [...others].filter((path) => majorOf(path) >= MAJOR_MIN);
}

function majorOf(path: string): number {
  try {
    return Number.parseInt(execFileSync(path, ['-p', 'process.versions.node']).toString(), 10);
  } catch {
    return 0;
  }
}
