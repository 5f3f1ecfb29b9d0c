/**
 * For tests: the package as somebody gets it who installs it. Built, and what npm packs put into the node_modules of a
 * project in a temporary folder; its dependencies are ours. Nothing is fetched.
 */
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TSC = join(ROOT, 'node_modules/.bin/tsc');
const run = promisify(execFile);

export interface ProcessEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface PackedProject {
  /** The project's folder. */
  readonly folder: string;
  /** Where the package is in it. */
  readonly mmrace: string;
  /** Runs a program in the project. Never rejects for its exit code. */
  execute(program: string, args: readonly string[]): Promise<ProcessEnd>;
  /** Type-checks files of the project. */
  check(files: readonly string[], options: readonly string[]): Promise<ProcessEnd>;
  remove(): void;
}

interface Manifest {
  readonly files: readonly string[];
  readonly dependencies: { readonly [name: string]: string };
}

/** Rejects if the sources do not build. */
export async function packProject(): Promise<PackedProject> {
  const folder = mkdtempSync(join(tmpdir(), 'mmrace-packed-'));
  const mmrace = join(folder, 'node_modules/mmrace');
  const manifest: Manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  await pack(folder, manifest, mmrace);
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
  return {
    folder,
    mmrace,
    execute: (program, args) => ended(program, args, folder),
    check: (files, options) => ended(TSC, [...options, ...files], folder),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Builds beside the sources' own dist, which others may be using, and puts what npm would pack into `packed`. */
async function pack(folder: string, { files }: Manifest, packed: string): Promise<void> {
  const stage = join(folder, 'stage');
  await run(TSC, ['--project', join(ROOT, 'tsconfig.build.json'), '--outDir', join(stage, 'dist')]);
  for (const file of ['package.json', 'README.md', 'LICENSE', ...files]) {
    // The build above is newer than what may stand there.
    const from = file === 'dist' ? join(ROOT, 'dist/web') : join(ROOT, file);
    const to = file === 'dist' ? join(stage, 'dist/web') : join(stage, file);
    if (existsSync(from)) cpSync(from, to, { recursive: true });
  }
  // Without the tarball itself: not every machine has a tar.
  const told = await run('npm', ['pack', '--dry-run', '--ignore-scripts', '--json', '--offline'], {
    cwd: stage,
  });
  const [{ files: all }] = JSON.parse(told.stdout) as [{ files: { path: string }[] }];
  for (const { path } of all) cpSync(join(stage, path), join(packed, path));
}

async function ended(program: string, args: readonly string[], cwd: string): Promise<ProcessEnd> {
  try {
    return { code: 0, ...(await run(program, [...args], { cwd, timeout: 60_000 })) };
  } catch (error) {
    const { code, stdout, stderr } = error as ProcessEnd & { readonly code: unknown };
    return { code: typeof code === 'number' ? code : -1, stdout, stderr };
  }
}
