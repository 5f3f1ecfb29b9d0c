import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Type } from 'typebox';
import { strict } from '../abi/scalars.ts';
import { explain } from './explain.ts';
import { refusalText, refuse } from './refusal.ts';
import { NOTIFICATION_CHECKS, QUESTION_CHECKS, REQUEST_CHECKS, roleOf } from './roles.ts';
import { firstError } from './validators.ts';

function explanation(role: 'device' | 'cpu', method: string, params: unknown): string {
  const checks = REQUEST_CHECKS[role].get(method);
  assert.ok(checks !== undefined);
  assert.equal(checks.params.accepts(params), false);
  const { path, bound } = firstError(checks.params, params, 'params');
  return refusalText(refuse('bad-params', path, bound));
}

test('a refusal names the path and the bound', () => {
  const insert = (range: unknown) =>
    explanation('device', 'mmu_interval_notifier_insert', { range });
  assert.equal(
    insert({ first: 0, end: 2 ** 35 + 1 }),
    'params.range.end: expected a whole number from 1 to 34359738368',
  );
  assert.equal(
    insert({ first: 1.5, end: 2 }),
    'params.range.first: expected a whole number from 0 to 34359738367',
  );
  assert.equal(insert({ first: 4, end: 4 }), 'params.range: expected end to be greater than first');
  assert.equal(
    insert({ first: 4 }),
    'params.range.end: expected a whole number from 1 to 34359738368',
  );
  assert.equal(insert(7), 'params.range: expected an object');
  assert.equal(
    insert({ first: 4, end: 5, __proto__x: 1 }),
    'params.range.__proto__x: expected no field of this name; known are first, end',
  );
  assert.equal(
    explanation('device', 'dma_read', {
      targets: [
        { page: 1, pfn: 2 },
        { page: 1, pfn: -2 },
      ],
    }),
    'params.targets[1].pfn: expected a whole number from 0 to 70368744177664',
  );
  assert.equal(
    explanation('cpu', 'madvise', { address: '0x1000', pages: 1, advice: 'PLEASE' }),
    'params.advice: expected one of "DONTNEED", "FREE", "PAGEOUT", "REMOVE", "COLLAPSE"',
  );
  assert.equal(explanation('cpu', 'exit', { now: true }), 'params.now: expected no field here');
});

test('a mismatch inside a union is told of the branch that was meant', () => {
  const change = (entry: unknown) => {
    const checks = NOTIFICATION_CHECKS.device.get('mirror_changed');
    assert.ok(checks !== undefined);
    const params = { changes: [{ page: 1, entry }] };
    assert.equal(checks.params.accepts(params), false);
    return firstError(checks.params, params, 'params');
  };
  assert.deepEqual(change({ state: 'mapped', pfn: 3, access: 'execute' }), {
    path: 'params.changes[0].entry.access',
    bound: 'one of "read", "write", "exclusive"',
  });
});

const ADDRESSES: readonly (readonly [string, 'fine' | 'refused', 'fine' | 'refused'])[] = [
  ['0x0', 'fine', 'fine'],
  ['0x8', 'fine', 'refused'],
  ['0x1000', 'fine', 'fine'],
  ['0x1004', 'refused', 'refused'],
  ['0x7fffffffffff', 'refused', 'refused'],
  ['0x7ffffffffff8', 'fine', 'refused'],
  ['0x7ffffffff000', 'fine', 'fine'],
  ['0x800000000000', 'refused', 'refused'],
  ['0x100200000', 'fine', 'fine'],
  ['0x0100200000', 'refused', 'refused'],
  ['0X1000', 'refused', 'refused'],
  ['4096', 'refused', 'refused'],
  ['0x-1000', 'refused', 'refused'],
];

test('addresses are aligned and lie below 2^47', () => {
  for (const [address, word, page] of ADDRESSES) {
    const loads = REQUEST_CHECKS.cpu.get('load')?.params.accepts({ address });
    const unmaps = REQUEST_CHECKS.cpu.get('munmap')?.params.accepts({ address, pages: 1 });
    assert.equal(loads, word === 'fine', `load ${address}`);
    assert.equal(unmaps, page === 'fine', `munmap ${address}`);
  }
});

test('the explanation and the compiled check agree on any value', () => {
  const schemas = [...REQUEST_CHECKS.device, ...REQUEST_CHECKS.cpu, ...QUESTION_CHECKS].flatMap(
    ([method, checks]) => [
      { method, check: checks.params },
      { method, check: checks.result },
    ],
  );
  const field = fc.constantFrom(
    'range',
    'first',
    'end',
    'page',
    'pfn',
    'mm',
    'subscription',
    'address',
    'pages',
    'value',
    'signal',
    'seq',
  );
  const leaf = fc.oneof(
    fc.integer(),
    fc.double(),
    fc.constantFrom('0x1000', 'none', 'SIGBUS', null, true),
  );
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.dictionary(field, tie('node')),
      fc.array(tie('node')),
    ),
  })).node;
  fc.assert(
    fc.property(fc.constantFrom(...schemas), value, ({ check }, candidate) => {
      assert.equal(explain(check.schema, candidate, 'v') === 'none', check.accepts(candidate));
    }),
    { numRuns: 2000, seed: 1 },
  );
});

test('a method is looked up by its own name only', () => {
  assert.equal(roleOf('constructor'), 'none');
  assert.equal(roleOf('__proto__'), 'none');
  assert.equal(roleOf('load'), 'cpu');
  assert.equal(roleOf('zone_device_page_init'), 'device');
});

test('of alternatives that a word tells apart, the one that was meant is explained', () => {
  const schema = Type.Union([
    strict({ action: Type.Literal('pause') }),
    strict({ action: Type.Literal('slow'), ms: Type.Integer({ minimum: 0, maximum: 9 }) }),
  ]);
  assert.deepEqual(explain(schema, { action: 'dance' }, 'body'), {
    path: 'body.action',
    bound: 'one of "pause", "slow"',
  });
  assert.deepEqual(explain(schema, { action: 'slow', ms: 10 }, 'body'), {
    path: 'body.ms',
    bound: 'a whole number from 0 to 9',
  });
  assert.equal(explain(schema, { action: 'slow', ms: 9 }, 'body'), 'none');
});

test('the entries of a record are explained by their names', () => {
  const schema = Type.Record(Type.String(), Type.Number({ exclusiveMinimum: 0 }), {
    maxProperties: 2,
  });
  assert.equal(explain(schema, { a: 1 }, 'body'), 'none');
  assert.deepEqual(explain(schema, { a: 1, b: 0 }, 'body'), {
    path: 'body.b',
    bound: 'a number above 0',
  });
  assert.deepEqual(explain(schema, { a: 1, b: 1, c: 1 }, 'body'), {
    path: 'body',
    bound: 'an object with at most 2 fields',
  });
});
