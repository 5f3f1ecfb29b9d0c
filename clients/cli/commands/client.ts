/** `mmrace device` and `mmrace cpu`: a prompt on a terminal, lines of a script, or whatever a conductor asks. */
import { fstatSync } from 'node:fs';
import { Argument, type Command, Option } from 'commander';
import { AUTO_NAME } from '../../../server/protocol/hello.ts';
import { CONNECT_MS, runAgent } from '../../agents/agent-process.ts';
import type { AgentOptions, PlayedAgent } from '../../agents/played-agent.ts';
import { formOf } from '../answer-form.ts';
import { ending, print, say } from '../ending.ts';
import type { ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import {
  codeOption,
  labOption,
  newOption,
  takeOverOption,
  tokenOption,
  urlOption,
} from '../lab-options.ts';
import type { ScriptLine } from '../prompt/run-script.ts';
import type { FoundLab } from '../reach-server.ts';

const STDIN = 0;

type Role = 'device' | 'cpu';
type Start = (options: AgentOptions) => PlayedAgent;

interface ClientOptions {
  readonly url: string;
  readonly lab: string;
  readonly code?: string;
  readonly token?: string;
  readonly new?: true;
  readonly takeOver?: true;
  readonly name: string;
  /** Of a device. */
  readonly driver?: string;
  readonly pgmapOwner?: string;
  readonly do?: readonly string[];
  readonly json?: true;
  readonly jsonl?: true;
}

export function addClientCommands(program: Command): void {
  addClient(program, {
    role: 'device',
    name: 'dev0',
    what: 'a dmirror device',
    examples: DEVICE_EXAMPLES,
  });
  addClient(program, { role: 'cpu', name: 'cpu0', what: 'a CPU thread', examples: CPU_EXAMPLES });
}

const ENDING = `
On a terminal it is a prompt. With --do, with - or behind a pipe it does these lines and ends: 0 if all did
what they say, 1 at the first that did not, 64 at one that is wrong. Otherwise it does what a conductor
asks, until it is told to end.`;

const DEVICE_EXAMPLES = `
Examples:
  mmrace device --lab demo --name gpu0        a prompt: help lists its verbs
  mmrace device --code K7QXM --name gpu0      the same, with the code of a room
  mmrace device --name gpu0 --do 'write 0x10000 42' --do 'migrate-to-dev 0x10000' --do pt
  mmrace device --name gpu0 --do 'hold migrate_vma_setup' --do 'migrate-to-dev a' --do go --do wait
  mmrace device --name gpu0 - < script        the lines of a file
  mmrace device --driver nouveau --name gpu0  a device that another driver drives
${ENDING}`;

const CPU_EXAMPLES = `
Examples:
  mmrace cpu --lab demo                       a prompt: help lists its verbs
  mmrace cpu --do 'mmap 0x10000 4' --do 'store 0x10000 42' --do 'load 0x10000' --json
  mmrace cpu --code K7QXM --name me --do pt
  echo 'mmap 0x10000 4' | mmrace cpu
${ENDING}`;

interface ClientCommand {
  readonly role: Role;
  readonly name: string;
  readonly what: string;
  readonly examples: string;
}

function addClient(program: Command, { role, name, what, examples }: ClientCommand): void {
  const command = program
    .command(role)
    .description(`join a lab as ${what}: a prompt, a script, or the hand of a conductor`)
    .addOption(urlOption())
    .addOption(labOption('the lab to join: its name or its join code'))
    .addOption(codeOption())
    .addOption(newOption())
    .addOption(tokenOption())
    .addOption(takeOverOption())
    .addOption(
      new Option(
        '--name <name>',
        `unique among the actors of the lab; auto: the next free, ${name} at first`,
      )
        .env('MMRACE_NAME')
        .default(AUTO_NAME),
    )
    .addArgument(
      new Argument('[script]', 'a script of lines of the prompt on stdin').choices(['-']),
    )
    .option('--do <line>', 'do this line of the prompt, then end; can be given again', appended)
    .option('--json', 'of a script: print one JSON object at the end')
    .option('--jsonl', 'of a script: print one JSON object a line as it is done')
    .addHelpText('after', examples)
    .action(ending((stdin: '-' | undefined, options: ClientOptions) => run(role, options, stdin)));
  if (role !== 'device') return;
  command.option(
    '--driver <name>',
    'what drives the device: a driver that ships, or a file of yours (default: dmirror, with all verbs of the prompt)',
  );
  command.option(
    '--pgmap-owner <name>',
    'share the memory with devices that say the same (an interconnect): they migrate from each other, and reach it',
  );
}

function appended(line: string, before: readonly string[] = []): readonly string[] {
  return [...before, line];
}

async function run(role: Role, options: ClientOptions, stdin: '-' | undefined): Promise<ExitCode> {
  const wanted = { ...options, lab: options.code ?? options.lab };
  const lines = await linesOf(role, options.do, stdin);
  if (lines !== 'none') return await script(role, wanted, lines);
  if (options.json === true || options.jsonl === true) {
    throw new UsageError('--json and --jsonl go with a script: a prompt answers a person');
  }
  const start = await starter(role, options);
  if (process.stdin.isTTY && process.stdout.isTTY) return await prompt(role, wanted, start);
  const { url, name } = wanted;
  // Without a token the server may still be on its way.
  const lab = options.token === undefined ? wanted.lab : (await labOf(wanted)).door;
  const create = createOf(options);
  const takeOver = takeOverOf(options);
  return await runAgent(role, { url, lab, name }, (args, agentSay) =>
    start({ ...args, create, takeOver, connectMs: CONNECT_MS, say: agentSay }),
  );
}

/** The script that is given, if one is: a pipe or a file without a line is not a script, unless it was asked for. */
async function linesOf(
  role: Role,
  given: readonly string[] | undefined,
  stdin: '-' | undefined,
): Promise<readonly ScriptLine[] | 'none'> {
  if (given !== undefined) {
    if (stdin === '-') throw new UsageError('--do and - exclude each other');
    const { parseScript } = await import('../prompt/run-script.ts');
    return parseScript(given, role);
  }
  if (stdin === undefined && !isPipeOrFile(STDIN)) return 'none';
  const { text } = await import('node:stream/consumers');
  const { parseScriptText } = await import('../prompt/run-script.ts');
  const lines = parseScriptText(await text(process.stdin), role);
  return lines.length === 0 && stdin === undefined ? 'none' : lines;
}

/** Programs that start a client, and say nothing to it, give it a socket, /dev/null or nothing. */
function isPipeOrFile(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isFIFO() || stats.isFile();
  } catch {
    return false;
  }
}

async function script(
  role: Role,
  options: ClientOptions,
  lines: readonly ScriptLine[],
): Promise<ExitCode> {
  const { runScript } = await import('../prompt/run-script.ts');
  const form = formOf(options);
  const { name: labName, door: lab } = await labOf(options);
  const start = await starter(role, options);
  return await runScript({
    ...options,
    role,
    lab,
    labName,
    create: createOf(options),
    takeOver: takeOverOf(options),
    start,
    lines,
    form,
    print,
    say,
  });
}

async function prompt(role: Role, options: ClientOptions, start: Start): Promise<ExitCode> {
  const { runPrompt } = await import('../prompt/run-prompt.ts');
  const { historyPath } = await import('../prompt/history-file.ts');
  const { name: labName, code, door: lab } = await labOf(options);
  const ending = new AbortController();
  process.once('SIGTERM', () => ending.abort());
  return await runPrompt({
    ...options,
    role,
    lab,
    labName,
    create: createOf(options),
    takeOver: takeOverOf(options),
    code,
    start,
    input: process.stdin,
    output: process.stdout,
    editing: 'in-place',
    colour: process.stdout.hasColors() ? 'colour' : 'plain',
    history: historyPath(process.env, role),
    signal: ending.signal,
  });
}

/** A code is never opened as a lab. */
function createOf({ code, new: opened }: ClientOptions): 'if-unknown' | 'never' {
  return opened === true && code === undefined ? 'if-unknown' : 'never';
}

function takeOverOf({ takeOver }: ClientOptions): 'when-lost' | 'never' {
  return takeOver === true ? 'when-lost' : 'never';
}

async function labOf(options: ClientOptions): Promise<FoundLab> {
  const { labOnServer } = await import('../reach-server.ts');
  const { url, lab, code, token } = options;
  return await labOnServer({
    url,
    lab,
    token,
    said: code === undefined ? 'name-or-code' : 'code',
    unknown: createOf(options) === 'if-unknown' ? 'opened' : 'refused',
  });
}

async function starter(role: Role, { driver, pgmapOwner }: ClientOptions): Promise<Start> {
  if (role === 'cpu') return (await import('../../agents/cpu-agent.ts')).startCpu;
  if (driver === undefined || driver === 'dmirror') {
    const { startDevice } = await import('../../agents/device-agent.ts');
    return (options) => startDevice({ ...options, pgmapOwner });
  }
  const { driverNamed } = await import('../../../server/scenario/explore-request.ts');
  const { startDrivenDevice } = await import('../../agents/driven-device.ts');
  const variant = await driverNamed(driver);
  return (options) => startDrivenDevice(variant, { ...options, pgmapOwner });
}
