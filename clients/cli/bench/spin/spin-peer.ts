/**
 * SPIN on the seed race (seed.pml, a sketch of what scenarios/seed-zero-page.yaml has in full): from its source to its
 * verdict, as a person would run it. Source of the flags: spinroot.com, pan(1).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface SeedSize {
  readonly devices: number;
  readonly migrators: number;
}

const MODEL = fileURLToPath(new URL('seed.pml', import.meta.url));
/** Megabytes that a verifier may take. */
const MEMORY_MAX = 20_000;
/** Slots of the hash table as a power of two, by number of devices: the default costs 85 ms to clear. */
const TABLE: readonly number[] = [16, 16, 16, 18, 22, 24];

/** 'missing' where SPIN or a C compiler is not installed. */
export function spinIsThere(): 'there' | 'missing' {
  const found = ['spin', 'gcc'].every((name) => spawnSync(name, ['--version']).error === undefined);
  return found ? 'there' : 'missing';
}

/** Microseconds from the model's source to "errors: 0". Throws: an Error if SPIN finds otherwise. */
export function spinHolds({ devices, migrators }: SeedSize): number {
  const folder = mkdtempSync(join(tmpdir(), 'mmrace-spin-'));
  try {
    const begun = performance.now();
    const cwd = { cwd: folder, stdio: 'pipe' } as const;
    const sizes = [`-DN=${devices}`, `-DM=${migrators}`, '-DFIXED=1', '-DINITPTE=1'];
    execFileSync('spin', ['-a', ...sizes, MODEL], cwd);
    const flags = ['-O2', '-w', '-DSAFETY', `-DMEMLIM=${MEMORY_MAX}`];
    execFileSync('gcc', [...flags, '-o', 'pan', 'pan.c', '-lpthread'], cwd);
    const said = execFileSync('./pan', [`-w${TABLE[devices] ?? 24}`], cwd).toString();
    const spent = (performance.now() - begun) * 1_000;
    if (!/errors: 0\b/.test(said)) throw new Error(`SPIN finds an error:\n${said}`);
    return spent;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
