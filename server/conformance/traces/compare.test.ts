import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareResult, compareState, compareVmas } from './compare.ts';
import type { TraceState } from './trace-state.ts';

const STATE: TraceState = {
  cpu0: { '0x100200000': 'za' },
  dev0: { '0x100200000': 'zw' },
  dev1: { '0x100200000': 'zw' },
};

test('equal results are the same; the first field that differs is named', () => {
  const read = { errno: 'OK', values: ['0x1', '0x2'], cpages: 2, faults: 1 } as const;
  assert.equal(compareResult(read, { ...read }), 'same');
  assert.deepEqual(compareResult(read, { ...read, values: ['0x1', '0x3'] }), {
    field: 'result.values[1]',
    expected: '0x2',
    actual: '0x3',
  });
  assert.deepEqual(compareResult(read, { ...read, faults: 0 }), {
    field: 'result.faults',
    expected: '1',
    actual: '0',
  });
});

test('an errno in place of a success, a missing and an extra field are differences', () => {
  assert.deepEqual(compareResult({ value: '0x0' }, { signal: 'SIGSEGV' }), {
    field: 'result.signal',
    expected: 'absent',
    actual: 'SIGSEGV',
  });
  assert.deepEqual(compareResult({ errno: 'OK', cpages: 1 }, { errno: 'OK' }), {
    field: 'result.cpages',
    expected: '1',
    actual: 'absent',
  });
  assert.deepEqual(compareResult({ errno: 'OK' }, { errno: 'OK', cpages: 0 }), {
    field: 'result.cpages',
    expected: 'absent',
    actual: '0',
  });
});

test('a shorter list of values differs where it ends', () => {
  assert.deepEqual(
    compareResult({ errno: 'OK', values: ['0x1', '0x2'] }, { errno: 'OK', values: ['0x1'] }),
    { field: 'result.values[1]', expected: '0x2', actual: 'absent' },
  );
});

test('states are compared page by page, however their ranges are joined', () => {
  const split = { ...STATE, cpu0: { '0x100200000': 'z', '0x100201000': 'a' } };
  assert.equal(compareState(STATE, split), 'same');
  assert.deepEqual(compareState(STATE, { ...STATE, dev1: { '0x100200000': 'z.' } }), {
    field: 'state.dev1[0x100201000]',
    expected: 'w',
    actual: '.',
  });
});

test('a page that only one side has is a difference', () => {
  assert.deepEqual(compareState(STATE, { ...STATE, cpu0: { '0x100200000': 'z' } }), {
    field: 'state.cpu0[0x100201000]',
    expected: 'a',
    actual: 'unmapped',
  });
  assert.deepEqual(compareState(STATE, { ...STATE, cpu0: { '0x100200000': 'zaa' } }), {
    field: 'state.cpu0[0x100202000]',
    expected: 'unmapped',
    actual: 'a',
  });
});

test('a child that lives on one side only is a difference, even without memory', () => {
  assert.deepEqual(compareState(STATE, { ...STATE, cpu1: {}, same: {} }), {
    field: 'state.cpu1',
    expected: 'absent',
    actual: 'present',
  });
});

test('mapping lists are compared mapping by mapping, borders included', () => {
  const whole = { cpu0: [['0x100200000', '0x100203000', 'rw-p']] } as const;
  const split = {
    cpu0: [
      ['0x100200000', '0x100201000', 'rw-p'],
      ['0x100201000', '0x100203000', 'rw-p'],
    ],
  } as const;
  assert.equal(compareVmas(whole, whole), 'same');
  assert.deepEqual(compareVmas(whole, split), {
    field: 'vmas.cpu0[0]',
    expected: '0x100200000-0x100203000 rw-p',
    actual: '0x100200000-0x100201000 rw-p',
  });
  assert.deepEqual(compareVmas({ cpu0: [] }, whole), {
    field: 'vmas.cpu0[0]',
    expected: 'absent',
    actual: '0x100200000-0x100203000 rw-p',
  });
  assert.deepEqual(compareVmas(whole, { cpu0: [['0x100200000', '0x100203000', 'r--p']] }), {
    field: 'vmas.cpu0[0]',
    expected: '0x100200000-0x100203000 rw-p',
    actual: '0x100200000-0x100203000 r--p',
  });
  assert.deepEqual(compareVmas({ ...whole, cpu1: [] }, whole), {
    field: 'vmas.cpu1',
    expected: '',
    actual: 'absent',
  });
});
