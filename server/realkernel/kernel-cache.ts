/** Kernels that were built here, each in a folder of its own. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface KernelFiles {
  readonly kernel: string;
  /** System.map, or /proc/kallsyms of the same kernel. */
  readonly map: string;
}

/** Versions whose sources a distribution packs, as `linux-source-VERSION`. */
export const BUILT_VERSIONS = ['6.12'] as const;
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
