/** The terminal of a prompt: keys in, what is on the screen out. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { Terminal } from './terminal.ts';

const CTRL_C = '\x03';
const CTRL_D = '\x04';
const UP = '\x1b[A';
const TAB = '\t';

interface Screen {
  readonly terminal: Terminal;
  /** Presses keys, and waits until something is shown. */
  press(keys: string): Promise<void>;
  /** What has been written since the last look, without control characters. */
  look(): string;
  /** The same with them. */
  raw(): string;
}

function screen(colour: 'colour' | 'plain' = 'plain'): Screen {
  const input = new PassThrough();
  const output = Object.assign(new PassThrough(), { columns: 40, rows: 10, isTTY: true });
  let written = '';
  output.setEncoding('utf8').on('data', (text: string) => {
    written += text;
  });
  const take = (): string => {
    const text = written;
    written = '';
    return text;
  };
  const terminal = new Terminal({
    input,
    output,
    editing: 'in-place',
    colour,
    history: ['read a', 'pt'],
    historyMax: 10,
    complete: (line) => [['snapshot '].filter((word) => word.startsWith(line)), line],
  });
  return {
    terminal,
    press: async (keys) => {
      const shown = once(output, 'data');
      input.write(keys);
      await shown;
    },
    look: () => stripVTControlCharacters(take()),
    raw: take,
  };
}

test('a notice goes above the line that is being typed, which stays as it is', async () => {
  const { terminal, press, look } = screen();
  const line = terminal.line('gpu0> ');
  await press('read a');
  look();
  terminal.notify([{ kind: 'news', text: 'cpu0 invalidates 0x10000' }]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.match(look(), /\* cpu0 invalidates 0x10000\n.*gpu0> read a$/);
  await press(' 2\r');
  assert.deepEqual(await line, { line: 'read a 2' });
  terminal.close();
});

test('a line that is longer than the terminal is wide is not torn apart', async () => {
  const { terminal, press, raw } = screen();
  const line = terminal.line('gpu0> ');
  const long = `write a ${'1 '.repeat(30)}`.trim();
  await press(long);
  raw();
  terminal.notify([{ kind: 'own', text: 'something' }]);
  await new Promise((resolve) => setImmediate(resolve));
  const shown = raw();
  // Up to the first row of the line, which is cleared from there on; then the notice, then the line again.
  assert.ok(shown.startsWith('\r\x1b[1A\x1b[J* something\n'), JSON.stringify(shown));
  assert.equal(shown.indexOf('\x1b[1A', 10), -1, 'the line is redrawn below the notice');
  await press('\r');
  assert.deepEqual(await line, { line: long });
  terminal.close();
});

test('an alarm is marked with and without colours', async () => {
  for (const colour of ['plain', 'colour'] as const) {
    const { terminal, raw } = screen(colour);
    terminal.notify([{ kind: 'alarm', text: 'VIOLATION' }]);
    await new Promise((resolve) => setImmediate(resolve));
    const shown = raw();
    assert.ok(stripVTControlCharacters(shown).includes('!!! VIOLATION'));
    assert.equal(shown.includes('\x1b[31m'), colour === 'colour');
    terminal.close();
  }
});

test('Ctrl-C and Ctrl-D end it, whatever stands in the line', async () => {
  for (const keys of [CTRL_C, CTRL_D, `read${CTRL_C}`]) {
    const { terminal, press } = screen();
    const line = terminal.line('gpu0> ');
    await press(keys);
    assert.equal(await line, 'closed', JSON.stringify(keys));
    assert.equal(await terminal.line('gpu0> '), 'closed');
  }
});

test('the arrow brings earlier lines back, and Tab completes', async () => {
  const { terminal, press } = screen();
  const earlier = terminal.line('gpu0> ');
  await press(`${UP}\r`);
  assert.deepEqual(await earlier, { line: 'pt' });
  const completed = terminal.line('gpu0> ');
  await press('sn');
  await press(TAB);
  await press('a\r');
  assert.deepEqual(await completed, { line: 'snapshot a' });
  assert.deepEqual(terminal.entered, ['read a', 'pt', 'snapshot a']);
  terminal.close();
});

test('lines that were typed while an answer was awaited are next', async () => {
  const { terminal, press } = screen();
  const first = terminal.line('gpu0> ');
  await press('one\rtwo\r');
  assert.deepEqual(await first, { line: 'one' });
  assert.deepEqual(await terminal.line('gpu0> '), { line: 'two' });
  terminal.close();
});
