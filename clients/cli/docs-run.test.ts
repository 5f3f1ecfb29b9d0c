/**
 * The commands of the documents that a newcomer reads, run one after the other in a folder of their own, beside a
 * server: each comes to an answer, or says what it promises and ends when it is told to. What two documents say is run
 * once. Searches are cut short; how far they get is asked elsewhere.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DEFAULT_CONFIG } from '../../server/app/config.ts';
import { type RunningServer, startServer } from '../../server/app/start-server.ts';
import { EXIT } from './exit-codes.ts';
import { script, TEST_LAB, withServer } from './prompt/lab-for-prompts.fixture.ts';
import { type ExitStatus, runMmrace } from './run-mmrace.fixture.ts';
import { unlessThere } from './shell-here.fixture.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const DOCUMENTS = [
  'README.md',
  'docs/TUTORIAL.md',
  'docs/COOKBOOK.md',
  'docs/PROMPT.md',
  'docs/WRITE-A-DEVICE.md',
  'docs/WRITE-A-DRIVER.md',
] as const;
const ANSWERS: readonly ExitStatus[] = [EXIT.OK, EXIT.BROKEN, EXIT.UNKNOWN];

/** Run by tests of their own, or needing more: the demo, Redis, Python, a kernel, a reader's device, a cut token. */
const NOT_RUN =
  /mmrace (?:demo|confirm|kernel|campaign|work)\b|python3|--external|mmr1\.\w*(?:…|\.\.\.)/;

/** What goes on until it is told to end, and how it is seen that it is there. */
const GOING_ON: readonly (readonly [
  command: RegExp,
  isThere: (said: string, command: string) => boolean,
])[] = [
  [/mmrace serve\b/, (said) => said.includes('mmrace serves on http')],
  [/mmrace observe\b/, (said) => said.includes('lab demo at event')],
  [/mmrace (?:device|cpu) (?!.*--do)/, (_, command) => isIn(command)],
];
/** Milliseconds between two looks at what is there. */
const LOOK_MS = 50;

/** The shell says what the words of a command are; searches end soon, and a server takes a port that is free. */
const SHELL = `
npx() {
  shift
  case $1 in
    explore) set -- "$@" --budget-executions 150 ;;
    certify) set -- "$@" --budget-seconds 1 ;;
    verdict) set -- "$@" --budget-executions 10 --budget-seconds 1 ;;
    test) set -- "$@" --budget-executions 10 ;;
    serve) set -- "$@" --port 0 ;;
  esac
  printf '%s\\0' "$@" >&3
}
`;

/** A patch and a driver that readers may have written. */
const MINE = `
import { faithful } from '${ROOT}clients/drivers/dmirror/faithful.ts';
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

/** Indented lines that run mmrace, each with its continuation and without what is said of it. */
function commandsOf(text: string): readonly string[] {
  const lines = text.replaceAll('\\\n', ' ').matchAll(/^ {4}(npx mmrace .*)$/gm);
  return (
    [...lines]
      .map(([, line = '']) => line.replace(/\s+#.*$/, '').replace(' --before stock', ''))
      // What reads the answer is no matter of mmrace.
      .map((line) => line.replace(/ \| \w+ .*$/, ''))
      .filter((line) => !NOT_RUN.test(line))
  );
}

interface Ran {
  readonly code: ExitStatus;
  readonly said: string;
}

function wordsOf(command: string): readonly string[] {
  const { output, status } = spawnSync('bash', ['-c', SHELL + command], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  assert.equal(status, 0, command);
  return (output[3] ?? '').split('\0').slice(0, -1);
}

/** A client without a terminal says nothing: it waits for a conductor. */
function isIn(command: string): boolean {
  const [, role, name = `${role}0`] = /mmrace (device|cpu) (?:.*--name (\w+))?/.exec(command) ?? [];
  const demo = server.labs.get(TEST_LAB);
  if (demo === 'none') return false;
  return demo.actorsSeen().some((actor) => actor.name === name && actor.state === 'attached');
}

/** Those that the documents name, and some of the museum: all of them are asked by tests of their own. */
function scenariosNamed(): ReadonlySet<string> {
  const texts = DOCUMENTS.map((document) => readFileSync(join(ROOT, document), 'utf8'));
  const named = texts.flatMap((text) => text.match(/\bscenarios\/[\w/-]+\.\w+\b/g) ?? []);
  const museum = globSync('scenarios/museum/0*.yaml', { cwd: ROOT });
  return new Set([...named.filter((path) => existsSync(join(ROOT, path))), ...museum]);
}

/** In a process of its own, until it is seen to be there; then it is told to end. */
async function runUntil(
  isThere: (said: string) => boolean,
  words: readonly string[],
): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...words], {
    cwd: folder,
    env: { ...process.env, MMRACE_URL: server.webSocketUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const looks = setInterval(() => {
    if (!isThere(said)) return;
    clearInterval(looks);
    child.kill('SIGINT');
  }, LOOK_MS);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(looks);
  return { code, said };
}

async function run(command: string): Promise<Ran> {
  const words = wordsOf(filledIn(command));
  const [, isThere] = GOING_ON.find(([going]) => going.test(command)) ?? [];
  if (isThere === undefined) {
    const { code, stdout, stderr } = await runMmrace(...words);
    return { code, said: stdout + stderr };
  }
  return await runUntil((said) => isThere(said, command), words);
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

let folder: string;
let server: RunningServer;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mmrace-docs-'));
  symlinkSync(join(ROOT, 'clients'), join(folder, 'clients'));
  for (const path of scenariosNamed()) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(join(ROOT, path), join(folder, path));
  }
  writeFileSync(join(folder, 'mine.ts'), MINE);
  await recordInto(join(folder, 'recorded'));
  server = await startServer({ ...DEFAULT_CONFIG, port: 0, logLevel: 'silent', drainMs: 50 });
  process.env.MMRACE_URL = server.webSocketUrl;
  process.chdir(folder);
});

after(async () => {
  process.chdir(ROOT);
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** What stands for something of the reader's is put in its place. */
function filledIn(command: string): string {
  const { host } = new URL(server.webSocketUrl);
  const demo = server.labs.get(TEST_LAB);
  const code = demo === 'none' ? '' : demo.joinCode;
  return command.replace('SERVER:7070', host).replace(/K7QXM|W3HTK/, code);
}

const ran = new Set<string>();
const skip = unlessThere('bash');

for (const document of DOCUMENTS) {
  test(`${document}: its commands come to an answer`, { timeout: 600_000, skip }, async () => {
    const text = readFileSync(join(ROOT, document), 'utf8');
    for (const { file, code } of filesOf(text)) writeFileSync(join(folder, file), code);
    const commands = commandsOf(text);
    assert.ok(commands.length > 1, 'it has commands');
    for (const command of commands) {
      if (ran.has(command)) continue;
      ran.add(command);
      const { code, said } = await run(command);
      assert.ok(ANSWERS.includes(code), `${command}\nends with ${code}:\n${said}`);
    }
  });
}
