/** Kernels that were built here, each in a folder of its own. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface KernelFiles {
  readonly kernel: string;
  /** System.map, /proc/kallsyms or vmlinux of the same kernel. */
  readonly map: string;
}

/** Versions whose sources a distribution packs, as `linux-source-VERSION`. */
export const BUILT_VERSIONS = ['6.12', '6.1'] as const;
export type BuiltVersion = (typeof BUILT_VERSIONS)[number];

/** MMRACE_KERNELS, else below the user's cache folder. */
export function kernelFolder(version: BuiltVersion): string {
  const { MMRACE_KERNELS, XDG_CACHE_HOME } = process.env;
  const cache = XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(MMRACE_KERNELS ?? join(cache, 'mmrace', 'kernels'), version);
}

export function builtKernel(version: BuiltVersion): KernelFiles | 'none' {
  const folder = kernelFolder(version);
  const files = { kernel: join(folder, 'bzImage'), map: join(folder, 'System.map') };
  return existsSync(files.kernel) && existsSync(files.map) ? files : 'none';
}

/** Lines of address, type and name. Throws: what nm says of a vmlinux that is none. */
export function symbolTextOf({ map }: KernelFiles): string {
  const bytes = readFileSync(map);
  const isProgram = bytes.subarray(0, ELF.length).equals(ELF);
  if (!isProgram) return bytes.toString('utf8');
  return execFileSync('nm', [map], { encoding: 'utf8', maxBuffer: SYMBOLS_BYTES_MAX });
}

const ELF = Buffer.from('\x7fELF', 'latin1');
const SYMBOLS_BYTES_MAX = 256 * 1024 * 1024;
