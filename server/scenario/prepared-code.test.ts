/** What is put into users' files: the program does what it did, line by line, and its loops and calls are seen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preparedCode } from './prepared-code.ts';

function prepared(source: string, language: 'ts' | 'js' = 'js'): string {
  const code = preparedCode(source, language, 'w');
  return code.slice(code.indexOf(';') + 1);
}

test('each turn of a loop is counted, with or without braces', () => {
  assert.equal(prepared('for (;;) { a(); }'), 'for (;;) {__mmraceTurn(); a(); }');
  assert.equal(prepared('while (a) b();'), 'while (a) {__mmraceTurn();b();}');
  assert.equal(prepared('do a(); while (b);'), 'do {__mmraceTurn();a();} while (b);');
  assert.equal(
    prepared('for (const a of b) for (const c in d);'),
    'for (const a of b) {__mmraceTurn();for (const c in d){__mmraceTurn();;}}',
  );
});

test('calls in a generator are noted, unless they run at once', () => {
  assert.equal(
    prepared('function* f() { k.fn.a(b()); yield* c(d()); const e = () => g(); }'),
    'function* f() { __mmraceCalled(k.fn.a(__mmraceCalled(b(), "b")), "k.fn.a"); ' +
      'yield* c(__mmraceCalled(d(), "d")); const e = () => g(); }',
  );
  assert.equal(prepared('function f() { a(); }'), 'function f() { a(); }');
  assert.equal(prepared('function* f() { a?.b().c(); }'), 'function* f() { a?.b().c(); }');
});

test('types are gone, and every line is where it was', () => {
  const source = 'type A = {\n  b: number;\n};\nfor (const a of [] as A[]) {\n  void a;\n}\n';
  const lines = prepared(source, 'ts').split('\n');
  assert.equal(lines.length, source.split('\n').length);
  assert.match(lines[3] ?? '', /^for \(const a of \[\] +\) \{__mmraceTurn\(\);$/);
});

test('what cannot be parsed is left to the loader', () => {
  assert.equal(preparedCode('for (', 'js', 'w'), 'for (');
  assert.equal(preparedCode('const a: = 1;', 'ts', 'w'), 'const a: = 1;');
});
