import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FORMAT_NAMES, type FormatName, isFormatName } from './format-names.ts';
import { FORMATS } from './formats.ts';
import { assertGolden } from './golden/golden-file.fixture.ts';
import { metaOf, runGolden } from './golden/golden-runs.fixture.ts';
import { LIST_COLUMNS_MAX } from './lines/list-columns.ts';

const RUNS = {
  stock: runGolden('seed-zero-page', 'stock'),
  patched: runGolden('seed-zero-page', 'patched'),
} as const;
const KERNELS = ['stock', 'patched'] as const;

function rendered(name: FormatName, kernel: 'stock' | 'patched'): string {
  const verdict = RUNS[kernel];
  return FORMATS[name].render(verdict.events, metaOf(verdict));
}

test('each of them ends its last line, and tells the same twice', () => {
  for (const name of FORMAT_NAMES) {
    for (const kernel of KERNELS) {
      const text = rendered(name, kernel);
      assert.ok(text.endsWith('\n') && text.length > 1, name);
      assert.equal(rendered(name, kernel), text, name);
    }
  }
});

test('each names the kernel that ran, its patch and its drivers', () => {
  const meta = { ...metaOf(RUNS.patched), patch: 'mine, driver theirs in dev0' };
  for (const name of FORMAT_NAMES) {
    const text = FORMATS[name].render(RUNS.patched.events, meta).replaceAll(/\s+#?\s*/g, ' ');
    assert.match(text, /mine/, name);
    assert.match(text, /driver theirs in dev0/, name);
  }
});

test('what goes into a mail is no wider than a mail', () => {
  for (const name of ['litmus', 'diagram', 'timeslice', 'splat'] as const) {
    for (const kernel of KERNELS) {
      for (const line of rendered(name, kernel).split('\n')) {
        assert.ok(line.length <= LIST_COLUMNS_MAX, `${name}: ${line}`);
      }
    }
  }
});

test('a program can read what says that it is JSON', () => {
  for (const name of FORMAT_NAMES) {
    if (FORMATS[name].extension === 'json') JSON.parse(rendered(name, 'patched'));
  }
});

for (const kernel of KERNELS) {
  test(`the seed race as KTAP, litmus outcome and diagram, ${kernel}`, () => {
    for (const name of ['ktap', 'litmus', 'diagram'] as const) {
      assertGolden(`seed-zero-page.${kernel}.${name}`, rendered(name, kernel));
    }
  });
}

test('an unknown verdict is an error in KTAP, whatever its properties say', () => {
  const meta = {
    ...metaOf(RUNS.stock),
    verdict: 'unknown',
    seen: 'bound reached after 10 s',
  } as const;
  const lines = FORMATS.ktap.render(RUNS.stock.events, meta).split('\n');
  assert.ok(lines.includes('  not ok 3 verdict # ERROR bound reached after 10 s'));
  assert.ok(lines.includes('not ok 1 seed-zero-page # ERROR'));
});

test('the name of a format is known or not', () => {
  assert.ok(isFormatName('perfetto'));
  assert.ok(!isFormatName('toString'));
});
