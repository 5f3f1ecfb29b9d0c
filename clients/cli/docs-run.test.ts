/**
 * The commands of the documents that a newcomer reads, run one after the other in a folder of their own, beside a
 * server: each comes to an answer. Searches are cut short; how far they get is asked elsewhere.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  globSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXIT } from './exit-codes.ts';
import { script, withServer } from './prompt/lab-for-prompts.fixture.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const ANSWERS: readonly (number | null)[] = [EXIT.OK, EXIT.BROKEN, EXIT.UNKNOWN];

/** What does not end by itself, what stands for something of the reader's, and what is not ours. */
const NOT_RUN = new RegExp(
  [
    'mmrace (?:serve|demo|observe|play)\\b',
    'mmrace (?:device|cpu) (?!.*--do)',
    'python3|--external|[A-Z]{4,}:',
    'mmr1\\.\\w*(?:…|\\.\\.\\.)',
  ].join('|'),
);

/** `npx mmrace` runs the sources, and searches end soon. */
const SHELL = `
npx() {
  shift
  case $1 in
    explore | certify) set -- "$@" --budget-seconds 2 ;;
    verdict | test) set -- "$@" --budget-executions 20 ;;
  esac
  '${process.execPath}' '${MAIN}' "$@"
}
`;

/** A patch and a driver that readers may have written. */
const MINE = `
import { faithful } from '${ROOT}clients/drivers/catalogue/faithful.ts';
import { removeSecondInvalidate } from '${ROOT}server/patches/remove-second-invalidate.ts';
export const patch = { ...removeSecondInvalidate, id: 'mine' };
export const driver = { ...faithful, id: 'mine' };
`;

interface Block {
  readonly file: string;
  readonly code: string;
}

/** The files that a document writes: blocks whose first line names them. */
function filesOf(text: string): readonly Block[] {
  const blocks = [...text.matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```/gm)];
  return blocks.map(([, file = '', code = '']) => ({ file, code }));
}

/** Indented lines that run mmrace, each with its continuation. */
function commandsOf(text: string): readonly string[] {
  const lines = text.replaceAll('\\\n', ' ').matchAll(/^ {4}(npx mmrace .*)$/gm);
  return [...lines].map(([, line = '']) => line).filter((line) => !NOT_RUN.test(line));
}

interface Ran {
  readonly code: number | null;
  readonly said: string;
}

function run(command: string, folder: string, url: string): Promise<Ran> {
  const child = spawn('bash', ['-c', `${SHELL}${command}`], {
    cwd: folder,
    env: { ...process.env, MMRACE_URL: url },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, said }));
  });
}

/** A lab that the documents call so. */
async function recordInto(recordTo: string): Promise<void> {
  await withServer(
    async (server) => {
      const lines = ['mmap 0x100000 4', ...Array.from({ length: 16 }, (_, at) => `store a ${at}`)];
      await script(server, 'cpu', 'cpu0', lines);
    },
    { recordTo },
  );
  const [file = ''] = globSync('*.jsonl', { cwd: recordTo });
  renameSync(join(recordTo, file), join(recordTo, 'demo-2026-11-25.jsonl'));
}

for (const document of ['README.md', 'docs/TUTORIAL.md', 'docs/COOKBOOK.md']) {
  test(`${document}: its commands come to an answer`, { timeout: 600_000 }, async () => {
    const text = readFileSync(join(ROOT, document), 'utf8');
    const folder = mkdtempSync(join(tmpdir(), 'mmrace-docs-'));
    for (const name of ['scenarios', 'clients']) symlinkSync(join(ROOT, name), join(folder, name));
    writeFileSync(join(folder, 'mine.ts'), MINE);
    for (const { file, code } of filesOf(text)) writeFileSync(join(folder, file), code);
    const commands = commandsOf(text);
    assert.ok(commands.length > 3, 'it has commands');
    try {
      await recordInto(join(folder, 'recorded'));
      await withServer(async ({ webSocketUrl }) => {
        for (const command of commands) {
          const { code, said } = await run(command, folder, webSocketUrl);
          assert.ok(ANSWERS.includes(code), `${command}\nends with ${code}:\n${said}`);
        }
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
