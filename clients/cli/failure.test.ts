import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { EXIT } from './exit-codes.ts';
import { failed, UsageError } from './failure.ts';

function thrownBy(args: readonly string[]): unknown {
  const program = new Command('mmrace')
    .version('1.2.3')
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .exitOverride();
  program.command('known', 'a command').exitOverride();
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    return error;
  }
  return 'nothing';
}

test('a wrong command line ends with 64, and its message is printed once', () => {
  assert.deepEqual(failed(thrownBy(['--unknown'])), { exitCode: EXIT.USAGE, text: '' });
});

test('asking for the version is not a failure', () => {
  assert.deepEqual(failed(thrownBy(['--version'])), { exitCode: EXIT.OK, text: '' });
});

test('an unusable file ends with 64 and a message without a stack', () => {
  const answer = failed(new UsageError('a.jsonl:3: not JSON'));
  assert.deepEqual(answer, { exitCode: EXIT.USAGE, text: 'mmrace: a.jsonl:3: not JSON\n' });
});

test('anything else is a bug of ours: 70, with the stack', () => {
  const answer = failed(new RangeError('boom'));
  assert.equal(answer.exitCode, EXIT.INTERNAL);
  assert.match(answer.text, /internal error\nRangeError: boom\n {4}at /);
});
