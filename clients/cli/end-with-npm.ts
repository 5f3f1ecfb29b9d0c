/** A program that npm or npx started ends when that is killed: npm ends its shell, and no more than that. */
import { readFileSync } from 'node:fs';

/** Milliseconds between two looks at who is still there. */
const LOOK_MS = 250;
const SHELLS: readonly string[] = ['sh', 'dash', 'bash', 'zsh', 'ash', 'busybox'];

/** Calls `orphaned` once, when the npm that started this process has gone. Keeps no process alive. */
export function watchNpm(orphaned: () => void): void {
  if (process.env.npm_command === undefined) return;
  const shell = process.ppid;
  const npm = isShell(shell) ? parentOf(shell) : 'unknown';
  const timer = setInterval(() => {
    if (process.ppid === shell && (npm === 'unknown' || parentOf(shell) === npm)) return;
    clearInterval(timer);
    orphaned();
  }, LOOK_MS);
  timer.unref();
}

function isShell(pid: number): boolean {
  return SHELLS.includes(statOf(pid)?.name ?? '');
}

function parentOf(pid: number): number | 'unknown' {
  return statOf(pid)?.parent ?? 'unknown';
}

/** proc(5): `PID (NAME) STATE PARENT ...`; undefined where there is no /proc. */
function statOf(pid: number): { readonly name: string; readonly parent: number } | undefined {
  try {
    const [, name = '', parent] =
      /^\d+ \((.*)\) \S (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return { name, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
