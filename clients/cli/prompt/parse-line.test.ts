import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLine, valuesOf } from './parse-line.ts';
import { type Mapping, mappingName } from './place.ts';
import { type PromptRole, usageOf } from './verb.ts';
import { VERBS, verbsOf } from './verb-table.ts';

const MAPPED: readonly Mapping[] = [
  { first: 0x10, end: 0x14 },
  { first: 0x100200, end: 0x100201 },
];

/** What the agent is asked for, or what is wrong. */
function asked(line: string, role: PromptRole = 'device', mapped = MAPPED): unknown {
  const parsed = parseLine(line, role);
  if (parsed === 'empty') return 'empty';
  if ('wrong' in parsed) return parsed.wrong;
  const values = valuesOf(parsed, mapped);
  if ('wrong' in values) return values.wrong;
  return parsed.verb.does === 'ask' ? parsed.verb.params(values) : parsed.verb.does;
}

test('addresses are hexadecimal, or relative to a mapping; what is left out has a default', () => {
  const read = (first: number, end: number) => ({ verb: 'read', range: { first, end } });
  assert.deepEqual(asked('read 0x10000 2'), read(0x10, 0x12));
  assert.deepEqual(asked('read a+1'), read(0x11, 0x12));
  assert.deepEqual(asked('read b'), read(0x100200, 0x100201));
  assert.deepEqual(asked('  read   # a remark'), read(0x10, 0x11));
  assert.deepEqual(asked('load a+0x8', 'cpu'), { verb: 'load', address: '0x10008' });
  assert.deepEqual(asked('load 0x10008', 'cpu'), { verb: 'load', address: '0x10008' });
  assert.equal(asked(''), 'empty');
  assert.equal(asked('# nothing'), 'empty');
});

test('an optional address in front of a value takes a word only if there is one to spare', () => {
  const write = (first: number, ...values: string[]) => ({
    verb: 'write',
    range: { first, end: first + values.length },
    values,
  });
  assert.deepEqual(asked('write 42'), write(0x10, '0x2a'));
  assert.deepEqual(asked('write a+1 1 2 0x3'), write(0x11, '0x1', '0x2', '0x3'));
  assert.deepEqual(asked('store 7', 'cpu'), { verb: 'store', address: '0x10000', value: '0x7' });
});

test('new mappings go behind the last one, or to 0x10000', () => {
  const at = (mapped: readonly Mapping[]) =>
    (asked('mmap', 'cpu', mapped) as { readonly address: string }).address;
  assert.equal(at([]), '0x10000');
  assert.equal(at(MAPPED), '0x100211000');
});

test('one sentence says what is wrong with a line, and what to type instead', () => {
  const cases: readonly [string, PromptRole, string][] = [
    [
      'raed 0x10000',
      'device',
      'raed: a device has no such verb; did you mean "read"? help lists them',
    ],
    ['load a', 'device', 'load: a device has no such verb, but a cpu has; help lists them'],
    [
      'read 10000',
      'device',
      'read: 10000: expected an address such as 0x10000, or a mapping such as a, a+3 or a+0x8',
    ],
    ['read 0x10008', 'device', 'read: 0x10008: expected the start of a page, such as 0x10000'],
    ['read a 0', 'device', 'read: 0: expected a whole number from 1 on for PAGES'],
    ['read a 1 2', 'device', 'read: 2 is too much; usage: read [ADDRESS] [PAGES]'],
    ['write', 'device', 'write: something is missing; usage: write [ADDRESS] VALUE...'],
    [
      'write a 99999999999999999999',
      'device',
      'write: 99999999999999999999: expected a value below 2^64, such as 42 or 0x2a',
    ],
    ['read c', 'device', 'read: c: there is no such mapping, a to b; maps lists them'],
    [
      'read 0x900000000000',
      'device',
      'read: 0x900000000000: expected an address below 0x800000000000',
    ],
    [
      'madvise a 1 DONTNED',
      'cpu',
      'madvise: DONTNED: expected ADVICE: DONTNEED, FREE, PAGEOUT, REMOVE, COLLAPSE; did you mean "DONTNEED"?',
    ],
    [
      'hold migrate_vma_stup',
      'device',
      'hold: migrate_vma_stup: expected a kernel function; did you mean "migrate_vma_setup"?',
    ],
    ['load 0x10004', 'cpu', 'load: 0x10004: expected a multiple of 8, such as 0x10000'],
  ];
  for (const [line, role, sentence] of cases) assert.equal(asked(line, role), sentence, line);
  assert.equal(
    asked('read', 'device', []),
    'read: a: nothing is mapped yet; a CPU maps memory: mmap 0x10000 4',
  );
});

test('every example in the table of verbs can be typed, by those who have the verb', () => {
  for (const verb of VERBS) {
    for (const role of verb.roles) {
      for (const example of verb.examples) {
        const answer = asked(example, role);
        const known = verbsOf(role).some(({ name }) => name === example.split(' ')[0]);
        // An example may show what comes next, which then is a verb of its own.
        assert.ok(known, `${example} of ${verb.name}`);
        assert.notEqual(
          typeof answer === 'string' && answer.includes(': '),
          true,
          `${example}: ${answer}`,
        );
      }
    }
  }
});

test('no two verbs of a role have the same name, and usages fit a line', () => {
  for (const role of ['device', 'cpu'] as const) {
    const names = verbsOf(role).map(({ name }) => name);
    assert.deepEqual(names, [...new Set(names)]);
    for (const verb of verbsOf(role)) assert.ok(usageOf(verb).length < 70, usageOf(verb));
  }
});

test('mappings are called a to z, then aa', () => {
  assert.deepEqual([0, 25, 26, 27, 52].map(mappingName), ['a', 'z', 'aa', 'ab', 'ba']);
});

test('a line that ends in & does not wait', () => {
  const parsed = parseLine('load a &', 'cpu');
  assert.ok(typeof parsed === 'object' && 'wait' in parsed);
  assert.equal(parsed.wait, 'background');
});
