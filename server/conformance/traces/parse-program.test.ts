import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMismatch, parseProgram } from './parse-program.ts';

const STATE = { cpu0: { '0x100200000': 'z' }, dev0: { '0x100200000': 'z' }, dev1: {} };
const LOAD = {
  op: 'load',
  actor: 'cpu0',
  addr: '0x100200000',
  result: { value: '0x0' },
  state: STATE,
};

function programWith(record: object): string {
  return JSON.stringify({ id: 'p', set: 's', seed: 0, ops: [record] });
}

/** `path: expected bound`, as a user sees it behind file and line. */
function refusal(text: string): string {
  const parsed = parseProgram(text);
  assert.ok(isMismatch(parsed), 'the program was accepted');
  return `${parsed.path}: expected ${parsed.bound}`;
}

test('a record that fits becomes an operation, its result and its state', () => {
  const vmas = { cpu0: [['0x100200000', '0x100201000', 'rw-p']] };
  const parsed = parseProgram(programWith({ ...LOAD, vmas }));
  assert.ok(!isMismatch(parsed));
  assert.deepEqual(parsed.steps, [
    {
      op: { op: 'load', actor: 'cpu0', addr: '0x100200000' },
      result: { value: '0x0' },
      state: STATE,
      vmas,
    },
  ]);
});

test('the mapping lists may be left out where they did not change', () => {
  const parsed = parseProgram(programWith(LOAD));
  assert.ok(!isMismatch(parsed));
  assert.equal(parsed.steps[0]?.vmas, 'unchanged');
});

const DEV_READ = { op: 'dev-read', dev: 0, addr: '0x100200000', pages: 1, state: STATE };
const MMAP = {
  op: 'mmap',
  addr: '0x100200000',
  pages: 1,
  prot: 'rw',
  kind: 'anon-private',
  result: { errno: 'OK' },
  state: STATE,
};

const REFUSED: readonly (readonly [title: string, record: object, refusal: RegExp])[] = [
  ['an unknown operation', { ...LOAD, op: 'peek' }, /^ops\[0\]\.op: expected one of load, /],
  [
    'a name that every object has',
    { ...LOAD, op: 'constructor' },
    /^ops\[0\]\.op: expected one of load, /,
  ],
  ['a missing argument', { ...LOAD, actor: undefined }, /^ops\[0\]\.actor: expected one of "cpu0"/],
  ['an argument too many', { ...LOAD, pages: 1 }, /^ops\[0\]\.pages: expected no field of this/],
  [
    'a number for an address',
    { ...LOAD, addr: 4096 },
    /^ops\[0\]\.addr: expected an address as a lower-case 0x-hexadecimal/,
  ],
  ['an address that is not hexadecimal', { ...LOAD, addr: '4096' }, /^ops\[0\]\.addr: expected an/],
  ['an address in upper case', { ...LOAD, addr: '0x10020F000' }, /^ops\[0\]\.addr: expected an/],
  ['an unaligned address', { ...LOAD, addr: '0x100200008' }, /a multiple of 4096/],
  ['an address above 47 bits', { ...LOAD, addr: '0x800000000000' }, /below 0x800000000000/],
  [
    'a range that ends above 47 bits',
    { ...MMAP, addr: '0x7ffffffff000', pages: 2 },
    /^ops\[0\]\.addr: expected a range that ends by 0x800000000000/,
  ],
  [
    'a move that ends above 47 bits',
    {
      op: 'mremap',
      addr: '0x100200000',
      pages: 2,
      to: '0x7ffffffff000',
      result: { errno: 'OK' },
      state: STATE,
    },
    /^ops\[0\]\.to: expected a range that ends by/,
  ],
  ['no pages', { ...MMAP, pages: 0 }, /^ops\[0\]\.pages: expected a whole number from 1 to/],
  ['half a page', { ...MMAP, pages: 1.5 }, /^ops\[0\]\.pages: expected a whole number/],
  [
    'a third device',
    { ...DEV_READ, dev: 2 },
    /^ops\[0\]\.dev: expected a whole number from 0 to 1/,
  ],
  ['a file for anonymous memory', { ...MMAP, file: 0 }, /^ops\[0\]\.file: expected no field/],
  [
    'a file mapping without its offset',
    { ...MMAP, kind: 'file-shared', file: 0 },
    /^ops\[0\]\.off: expected a whole number with kind file-shared/,
  ],
  ['no result', { ...LOAD, result: undefined }, /^ops\[0\]\.result: expected an object/],
  [
    'an errno that is none',
    { ...MMAP, result: { errno: 'EOOPS' } },
    /^ops\[0\]\.result\.errno: expected one of "EPERM"/,
  ],
  [
    'values beside an errno',
    { ...DEV_READ, result: { errno: 'EFAULT', values: ['0x0'] } },
    /^ops\[0\]\.result\.values: expected no field of this name/,
  ],
  [
    'a success without its counts',
    { ...DEV_READ, result: { errno: 'OK', values: ['0x0'], cpages: 1 } },
    /^ops\[0\]\.result\.faults: expected a whole number/,
  ],
  [
    'a value above 64 bits',
    { ...LOAD, result: { value: '0x10000000000000000' } },
    /^ops\[0\]\.result\.value: expected a u64/,
  ],
  ['no state', { ...LOAD, state: undefined }, /^ops\[0\]\.state: expected an object with cpu0/],
  [
    'a state without a device',
    { ...LOAD, state: { cpu0: {}, dev0: {} } },
    /^ops\[0\]\.state\.dev1: expected an object of addresses/,
  ],
  [
    'a character of another view',
    { ...LOAD, state: { ...STATE, dev1: { '0x100200000': 'X' } } },
    /^ops\[0\]\.state\.dev1\.0x100200000: expected one or more characters of \.rwzlLe/,
  ],
  [
    'an unaligned range in a state',
    { ...LOAD, state: { ...STATE, dev1: { '0x100200001': 'z' } } },
    /^ops\[0\]\.state\.dev1\.0x100200001: expected an address/,
  ],
  [
    'ranges in a state that should be one',
    { ...LOAD, state: { ...STATE, dev1: { '0x100200000': 'z', '0x100201000': 'z' } } },
    /expected ranges in order with a gap between/,
  ],
  [
    'a child without the view that compares it',
    { ...LOAD, state: { ...STATE, cpu1: {} } },
    /^ops\[0\]\.state: expected cpu1 and same together/,
  ],
  [
    'permissions that are none',
    { ...LOAD, vmas: { cpu0: [['0x100200000', '0x100201000', 'rw']] } },
    /^ops\[0\]\.vmas\.cpu0\[0\]\[2\]: expected permissions such as rw-p/,
  ],
  [
    'a mapping that ends before it starts',
    { ...LOAD, vmas: { cpu0: [['0x100201000', '0x100200000', 'rw-p']] } },
    /^ops\[0\]\.vmas\.cpu0\[0\]: expected mappings in order/,
  ],
];

for (const [title, record, expected] of REFUSED) {
  test(`refused with its path: ${title}`, () => {
    assert.match(refusal(programWith(record)), expected);
  });
}

test('refused with its path: a line that is no program', () => {
  assert.equal(refusal('{"id":'), 'program: expected a JSON object on one line');
  assert.match(refusal('[]'), /^program: expected an object/);
  assert.match(refusal('{"id":"p","set":"s","seed":0,"ops":[]}'), /^ops: expected an array/);
  assert.match(refusal('{"id":"p","set":"s","seed":0,"ops":[1]}'), /^ops\[0\]: expected an object/);
  assert.match(
    refusal(JSON.stringify({ id: 'p', set: 's', seed: 0, ops: [LOAD], note: 'x' })),
    /^note: expected no field of this name/,
  );
});
