/** The conventions of the command line, checked for every command that there is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { newProgram } from './program.ts';

/** One goes on until it is ended, the other answers in the form that --format names. */
const NEITHER_JSON: readonly string[] = ['serve', 'report'];

interface Said {
  readonly out: string;
  readonly error: string;
  readonly code: string;
}

/** What a command line says when nothing of it can be run. */
async function said(...args: readonly string[]): Promise<Said> {
  const program = await newProgram();
  let out = '';
  let error = '';
  for (const command of [program, ...program.commands]) {
    command.configureOutput({
      writeOut: (text) => {
        out += text;
      },
      writeErr: (text) => {
        error += text;
      },
    });
  }
  try {
    program.parse(args, { from: 'user' });
  } catch (thrown) {
    return { out, error, code: String((thrown as { code?: unknown }).code) };
  }
  return { out, error, code: 'parsed' };
}

function helpOf(command: Command): string {
  let help = '';
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();
  return help;
}

/** What is wrong with one command. */
async function complaints(command: Command): Promise<string[]> {
  const name = command.name();
  const help = helpOf(command);
  const flags = command.options.map(({ long }) => long ?? '');
  const found: string[] = [];
  if (command.description().length < 10) found.push(`${name}: no description`);
  if (!/^Examples?:\n {2}\S/m.test(help)) found.push(`${name}: no examples in its help`);
  const answers = flags.some((flag) => flag === '--json' || flag === '--jsonl');
  if (!(answers || NEITHER_JSON.includes(name))) found.push(`${name}: neither --json nor --jsonl`);
  for (const { long, description } of command.options) {
    if (!/^--[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(long ?? '')) found.push(`${name}: ${long}`);
    if (description.length < 5) found.push(`${name}: ${long} is not described`);
  }
  for (const line of help.split('\n')) {
    if (line.length > 120) found.push(`${name}: a line of its help has ${line.length} columns`);
  }
  return found;
}

const COMMANDS = (await newProgram()).commands;

test('every command is described, has examples, answers programs too, and has flags in kebab-case', async () => {
  assert.ok(COMMANDS.length >= 15, 'the walk has found the commands');
  const found = await Promise.all(COMMANDS.map(complaints));
  assert.deepEqual(found.flat(), []);
});

test('a command that keeps no convention is complained of', async () => {
  const bad = (await newProgram()).command('bad').option('--someThing', 'x');
  assert.deepEqual(await complaints(bad), [
    'bad: no description',
    'bad: no examples in its help',
    'bad: neither --json nor --jsonl',
    'bad: --someThing',
    'bad: --someThing is not described',
  ]);
});

test('an unknown command suggests the nearest one', async () => {
  for (const command of COMMANDS) {
    const name = command.name();
    const misspelt = name.slice(0, -1) + (name.endsWith('x') ? 'y' : 'x');
    const { error, code } = await said(misspelt);
    assert.equal(code, 'commander.unknownCommand', name);
    assert.match(error, /Did you mean/, name);
  }
});

test('an unknown option of any command suggests the nearest one', async () => {
  for (const command of COMMANDS) {
    const name = command.name();
    const long = command.options.find((option) => (option.long ?? '').length > 5)?.long;
    if (typeof long !== 'string') continue;
    const needed = command.registeredArguments.filter(({ required }) => required).map(() => 'bash');
    const mandatory = command.options
      .filter((option) => option.mandatory)
      .flatMap((option) => [option.long ?? '', option.argChoices?.[0] ?? 'x']);
    const { error, code } = await said(name, ...needed, ...mandatory, `${long}x`);
    assert.equal(code, 'commander.unknownOption', name);
    assert.match(error, new RegExp(`\\(Did you mean .*${long}`), `${name}: ${error}`);
  }
});

test('the commands that the documents promise are there', () => {
  const names = COMMANDS.map((command) => command.name());
  const promised =
    'serve demo device cpu observe conformance fuzz explore test verdict report replay play ' +
    'scenarios patches doctor config completion';
  assert.deepEqual(
    promised.split(' ').filter((name) => !names.includes(name)),
    [],
  );
});
