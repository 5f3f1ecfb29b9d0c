/** Files that are wrong, and what is said of them: where, what was expected, and what was probably meant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readScenario } from './read-scenario.ts';
import { printProblem, SOURCE_CHARS_MAX } from './yaml-source.ts';

const GOOD = `name: sample
title: A sample
provenance: nowhere
vmas:
  - { name: a, address: 0x100200000, pages: 2, prot: rw, kind: anon-private }
setup:
  - { actor: cpu0, do: store, at: a, value: 1 }
actors:
  - name: cpu0
    kind: cpu
    program:
      - { do: load, at: a+1, as: r0 }
  - name: dev0
    kind: device
    driver: dmirror
    program:
      - { do: read, at: a, pages: 2, as: r1 }
condition: { forbid: cpu0.r0 != 0 }
expect:
  patches: { stock: holds }
`;

function problemsOf(text: string): string[] {
  const read = readScenario(text, 's.yaml');
  return read.ok ? [] : read.problems.map(printProblem);
}

/** What is said when `part` of the good file is replaced. */
function without(part: string, instead: string): string[] {
  assert.ok(GOOD.includes(part), part);
  return problemsOf(GOOD.replace(part, instead));
}

test('a scenario that is right is read', () => {
  assert.deepEqual(problemsOf(GOOD), []);
});

test('a misspelt key is pointed at, and the right one suggested', () => {
  assert.deepEqual(without('provenance:', 'provenence:'), [
    's.yaml:3:1: provenence: unknown key "provenence"; did you mean "provenance"?',
  ]);
  assert.deepEqual(without('at: a, value', 'at: a, vaule'), [
    's.yaml:7:38: setup[0].vaule: unknown key "vaule"; did you mean "value"?',
  ]);
});

test('a key that resembles nothing is answered with all that are known', () => {
  assert.deepEqual(without('title: A sample', 'title: A sample\ncolour: red'), [
    's.yaml:3:1: colour: unknown key "colour"; known here: name, title, provenance, museum, ' +
      'story, affects, parameters, machine, vmas, setup, actors, sheet, window, condition, oracles, bounds, expect',
  ]);
});

test('a misspelt word is answered with the nearest of those that are allowed', () => {
  assert.deepEqual(without('kind: device', 'kind: devise'), [
    's.yaml:14:11: actors[1].kind: expected one of "cpu", "device", "kernel", got "devise"; did you mean "device"?',
  ]);
  assert.deepEqual(without('do: load', 'do: laod'), [
    's.yaml:12:15: actors[0].program[0].do: "laod" is no do that is known; did you mean "load"?',
  ]);
});

test('every mistake is listed, in the order of the file', () => {
  const text = GOOD.replace('title: A sample', 'title: 7').replace(
    'pages: 2, prot',
    'pages: 0, prot',
  );
  assert.deepEqual(problemsOf(text), [
    's.yaml:2:8: title: expected a string of at most 120 characters, got 7',
    's.yaml:5:45: vmas[0].pages: expected a whole number from 1 to 512, got 0',
  ]);
});

test('a missing key is asked for where it belongs', () => {
  assert.deepEqual(without(', value: 1', ''), [
    's.yaml:7:5: setup[0]: expected the key "value": a whole number from 0 to 9007199254740991, or a u64 as a ' +
      '0x-hexadecimal string',
  ]);
});

test('names must exist: actors, vmas, drivers, patches, registers', () => {
  assert.deepEqual(without('actor: cpu0', 'actor: cpu1'), [
    's.yaml:7:14: setup[0].actor: the actor "cpu1" is not declared; did you mean "cpu0"?',
  ]);
  assert.deepEqual(without('at: a+1', 'at: heap'), [
    's.yaml:12:25: actors[0].program[0].at: the vma "heap" is not declared; declared are a',
  ]);
  assert.deepEqual(without('driver: dmirror', 'driver: dmiror'), [
    's.yaml:15:13: actors[1].driver: there is no driver "dmiror"; did you mean "dmirror"?',
  ]);
  assert.deepEqual(without('stock: holds', 'stoc: holds'), [
    's.yaml:20:20: expect.patches.stoc: there is no patch "stoc"; did you mean "stock"?',
  ]);
  assert.deepEqual(without('cpu0.r0', 'cpu0.r1'), [
    's.yaml:18:22: condition.forbid: cpu0 has no register "r1"; did you mean "r0"?',
  ]);
});

test('a function of a window must be one that events of this kind name', () => {
  const window = (matcher: string) =>
    problemsOf(GOOD.replace('condition:', `window:\n  - { ${matcher} }\ncondition:`));
  assert.deepEqual(window('event: call, function: hmm_range_fault'), []);
  assert.deepEqual(window('event: callback-return, function: invalidate, result: again'), []);
  for (const [matcher, said] of [
    [
      'event: call, function: hmm_range_falt',
      /no event "call" names .*did you mean "hmm_range_fault"/,
    ],
    ['event: callback, function: hmm_range_fault', /no event "callback" names "hmm_range_fault"/],
    ['event: pte, function: munmap', /an event "pte" names no function/],
  ] as const) {
    const [problem = '', ...more] = window(matcher);
    assert.match(problem, /^s\.yaml:\d+:\d+: window\[0\]\.function: /);
    assert.match(problem, said);
    assert.deepEqual(more, []);
  }
});

test('places must fit: no page beyond a vma, no vma on another', () => {
  assert.deepEqual(without('at: a+1', 'at: a+2'), [
    's.yaml:12:25: actors[0].program[0].at: ends beyond the vma "a" of 2 pages',
  ]);
  const second =
    '  - { name: b, address: 0x100201000, pages: 1, prot: rw, kind: anon-private }\nsetup:';
  assert.deepEqual(without('setup:', second), [
    's.yaml:6:25: vmas[1].address: overlaps the vma "a"',
  ]);
});

test('an actor does what its kind can do', () => {
  assert.deepEqual(without('do: load', 'do: read'), [
    's.yaml:12:15: actors[0].program[0].do: "read" is for a device, and cpu0 is a cpu',
  ]);
});

test('a condition that cannot be read is pointed into', () => {
  assert.deepEqual(without('cpu0.r0 != 0', 'cpu0.r0 = 0 and'), [
    's.yaml:18:22: condition.forbid: character 16: expected actor.register, pte(vma), mirror(device, vma) or ' +
      'stuck, got the end',
  ]);
});

test('what is no YAML, or not one mapping, is no crash', () => {
  assert.match(problemsOf('a: [1, 2')[0] ?? '', /^s\.yaml:1:\d+: not YAML: /);
  assert.match(
    problemsOf('name: x\nname: y\n')[0] ?? '',
    /^s\.yaml:2:1: not YAML: Map keys must be unique/,
  );
  for (const text of ['', '- 1', '7', 'null', '"text"', '? [a]\n: b']) {
    assert.match(problemsOf(text)[0] ?? '', /^s\.yaml:1:1: /, text);
  }
  assert.match(problemsOf('x'.repeat(SOURCE_CHARS_MAX + 1))[0] ?? '', /expected at most/);
  const bomb =
    'a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b]\n';
  assert.match(problemsOf(bomb)[0] ?? '', /not YAML|unknown key/);
});

test('wait names what there is to wait for', () => {
  assert.deepEqual(without('{ do: load', '{ do: wait, for: cpu0 at fork }\n      - { do: load'), [
    's.yaml:12:26: actors[0].program[0].for: the program of cpu0 does no "fork"; it does wait, load',
  ]);
  assert.deepEqual(without('{ do: load', '{ do: wait, for: cpu0 at load 2 }\n      - { do: load'), [
    's.yaml:12:26: actors[0].program[0].for: the program of cpu0 does "load" 1 times; it does wait, load',
  ]);
});

test('a child is forked once, and does nothing before', () => {
  const twice = '{ do: fork, child: cpu0 }\n      - { do: fork, child: cpu0 }\n      - { do: load';
  assert.deepEqual(without('{ do: load', twice), [
    's.yaml:7:14: setup[0].actor: cpu0 is not forked yet',
    's.yaml:13:28: actors[0].program[1].child: cpu0 is forked already, and has one life',
  ]);
});
