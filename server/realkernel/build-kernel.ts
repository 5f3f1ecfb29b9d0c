/**
 * Builds a kernel that guests run, from the sources that a distribution packs: as small as it can be, with the test
 * driver for HMM. One line of that driver is changed, as its fault path maps the device's page where the page with the
 * data is meant, so that every read of a page of its own is a crash.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { asset } from './asset.ts';
import { type BuiltVersion, kernelFolder } from './kernel-cache.ts';

const OPTIONS = 'kernel.config';
/** Of a package of Debian: linux-source-VERSION. */
const SOURCES = '/usr/src';
const DRIVER = 'lib/test_hmm.c';
const CHANGED = { from: '\t\tentry = page;\n', to: '\t\tentry = BACKING_PAGE(page);\n' } as const;
/** What of the driver is not as the kernel has it; every report says so. */
export const DRIVER_CHANGE =
  'test_hmm with one line changed: dmirror_do_fault() maps BACKING_PAGE(page)';

const TOOLS = [
  ['make', 'make'],
  ['gcc', 'gcc'],
  ['bc', 'bc'],
  ['bison', 'bison'],
  ['flex', 'flex'],
  ['xz', 'xz-utils'],
  ['tar', 'tar'],
] as const;
/** Headers that the build needs, by package. */
const HEADERS = [
  ['/usr/include/libelf.h', 'libelf-dev'],
  ['/usr/include/openssl/ssl.h', 'libssl-dev'],
] as const;

/** What to install, as Debian calls it; empty if all is there. */
export function lackingFor(version: BuiltVersion): string[] {
  const tools = TOOLS.filter(
    ([program]) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error !== undefined,
  );
  const headers = HEADERS.filter(([file]) => !existsSync(file));
  const sources = sourceOf(version) === 'none' ? [`linux-source-${version}`] : [];
  return [...[...tools, ...headers].map(([, name]) => name), ...sources];
}

function sourceOf(version: BuiltVersion): string | 'none' {
  const name = `linux-source-${version}.tar.xz`;
  return existsSync(SOURCES) && readdirSync(SOURCES).includes(name) ? join(SOURCES, name) : 'none';
}

/** `said` hears what is being done. Rejects with the end of what a tool has printed. */
export async function buildKernel(
  version: BuiltVersion,
  jobs: number,
  said: (what: string) => void,
): Promise<string> {
  const source = sourceOf(version);
  if (source === 'none') throw new Error(`there is no ${SOURCES}/linux-source-${version}.tar.xz`);
  const folder = kernelFolder(version);
  const tree = `${folder}-source`;
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  said(`unpacking ${source}`);
  await run('tar', ['-xf', source, '-C', tree, '--strip-components=1'], tree);
  changeDriver(join(tree, DRIVER));
  said('configuring');
  await run('make', ['-s', 'tinyconfig'], tree);
  await run('scripts/kconfig/merge_config.sh', ['-m', '.config', asset(OPTIONS)], tree);
  await run('make', ['-s', 'olddefconfig'], tree);
  said(`compiling with ${jobs} jobs; this takes minutes`);
  await run('make', ['-s', `-j${jobs}`, 'bzImage'], tree);
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(tree, 'arch/x86/boot/bzImage'), join(folder, 'bzImage'));
  copyFileSync(join(tree, 'System.map'), join(folder, 'System.map'));
  copyFileSync(join(tree, '.config'), join(folder, 'config'));
  rmSync(tree, { recursive: true, force: true });
  return folder;
}

/** Throws if the driver is not as it was when the change was made. */
function changeDriver(path: string): void {
  const text = readFileSync(path, 'utf8');
  if (text.split(CHANGED.from).length !== 2)
    throw new Error(`${path}: its fault path is another one`);
  writeFileSync(path, text.replace(CHANGED.from, CHANGED.to));
}

const LINES_SHOWN = 20;

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed: string[] = [];
  child.stdout.on('data', (data: Buffer) => printed.push(data.toString()));
  child.stderr.on('data', (data: Buffer) => printed.push(data.toString()));
  const [code] = await once(child, 'close');
  if (code === 0) return;
  const end = printed.join('').trimEnd().split('\n').slice(-LINES_SHOWN).join('\n');
  throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${end}`);
}
