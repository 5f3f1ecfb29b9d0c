/** `npm test`, behind the checks: all tests, and at the end why some were skipped. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleTypebox } from './bundled-typebox.ts';
import { groupsOf, processProgram } from './group-tests.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Beside the sources: node:test looks into no node_modules. */
const PROGRAMS = join(ROOT, '.tests');
const COMPILED = join(ROOT, 'node_modules/.cache/compiled');
/** More than most machines have cores: many tests wait. */
const PROCESSES = 3;
const TEST_TIMEOUT_MS = 120_000;

function writePrograms(): void {
  const paths = globSync('{server,clients}/**/*.test.ts', { cwd: ROOT });
  const groups = groupsOf(
    paths.map((path) => path.replaceAll(sep, '/')),
    (path) => readFileSync(join(ROOT, path), 'utf8'),
  );
  for (const [at, group] of groups.entries()) {
    const order = String(at).padStart(String(groups.length).length, '0');
    writeFileSync(join(PROGRAMS, `${order}-${group.name}.mjs`), processProgram(group));
  }
}

rmSync(PROGRAMS, { recursive: true, force: true });
mkdirSync(PROGRAMS);
writePrograms();
const first = await bundleTypebox(join(PROGRAMS, 'typebox'));
const options = [
  `--test-concurrency=${PROCESSES}`,
  `--test-timeout=${TEST_TIMEOUT_MS}`,
  ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
  ...['--test-reporter=./server/tidy/skipped-tests.ts', '--test-reporter-destination=stdout'],
];
const child = spawn(process.execPath, ['--test', ...options, '.tests/*.mjs'], {
  cwd: ROOT,
  stdio: 'inherit',
  // Absolute, and so for every process that a test starts: some stand in folders of their own.
  env: {
    ...process.env,
    NODE_COMPILE_CACHE: COMPILED,
    NODE_OPTIONS: `--import ${JSON.stringify(first)} ${process.env.NODE_OPTIONS ?? ''}`,
  },
});
const [code] = await once(child, 'exit');
process.exitCode = code ?? 1;
