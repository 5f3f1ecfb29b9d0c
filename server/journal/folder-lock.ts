/** One server at a time writes into a folder of recordings: the file says which. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LOCK = 'mmrace.lock';

/** The folder is another server's. */
export class FolderTaken extends Error {
  readonly pid: number;

  constructor(directory: string, pid: number) {
    super(`${directory} is in use by the mmrace server with pid ${pid}`);
    this.name = 'FolderTaken';
    this.pid = pid;
  }
}

export interface FolderLock {
  release(): void;
}

interface Owner {
  readonly pid: number;
  /** When the process began, in a clock of the system's; a pid is given away again. 'unknown' where there is none. */
  readonly began: string;
}

/** Folders that this process has. */
const held = new Set<string>();

/**
 * Throws: FolderTaken; what the file system throws. A lock whose owner is gone is taken over. Servers in containers
 * that do not see each other's processes are not distinguished.
 */
export function lockFolder(directory: string): FolderLock {
  const path = join(directory, LOCK);
  const own: Owner = { pid: process.pid, began: beganAt(process.pid) };
  if (held.has(path)) throw new FolderTaken(directory, own.pid);
  if (!claimed(path, own)) {
    const owner = ownerIn(path);
    if (owner !== 'gone' && lives(owner)) throw new FolderTaken(directory, owner.pid);
    takeOver(directory, path, owner);
    if (!claimed(path, own)) throw new FolderTaken(directory, pidIn(path));
  }
  held.add(path);
  return {
    release: () => {
      held.delete(path);
      rmSync(path, { force: true });
    },
  };
}

function claimed(path: string, own: Owner): boolean {
  try {
    writeFileSync(path, `${JSON.stringify(own)}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function pidIn(path: string): number {
  const owner = ownerIn(path);
  return owner === 'gone' ? 0 : owner.pid;
}

/** Moves the lock of `gone` aside. Another server may do so just now: then the lock is that one's already. */
function takeOver(directory: string, path: string, gone: Owner | 'gone'): void {
  const aside = `${path}.${process.pid}`;
  renameSync(path, aside);
  const moved = ownerIn(aside);
  const same = moved === gone || (moved !== 'gone' && gone !== 'gone' && moved.pid === gone.pid);
  if (!same && moved !== 'gone') linkSync(aside, path);
  rmSync(aside);
  if (!same && moved !== 'gone') throw new FolderTaken(directory, moved.pid);
}

function ownerIn(path: string): Owner | 'gone' {
  try {
    const { pid, began } = JSON.parse(readFileSync(path, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? { pid, began: String(began) } : 'gone';
  } catch {
    // Written half, or removed meanwhile.
    return 'gone';
  }
}

function lives({ pid, began }: Owner): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const now = beganAt(pid);
  return now === 'unknown' || began === 'unknown' || now === began;
}

/** Field 22 of /proc/PID/stat, behind the name in parentheses: clock ticks since the system began. */
function beganAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
