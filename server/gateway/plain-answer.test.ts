import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plainAnswer } from './plain-answer.ts';

const read = (text: string) => plainAnswer(Buffer.from(text));

function frame(seq: number, id: number, invalidate_seq: number): string {
  const result = { result: 'done', invalidate_seq };
  return JSON.stringify({ jsonrpc: '2.0', seq, id, result });
}

test('an invalidate that was carried out is read as JSON.parse reads it', () => {
  const number = fc.oneof(
    fc.nat(12),
    fc.maxSafeNat().map((n) => n % 10 ** 15),
  );
  fc.assert(
    fc.property(number, number, number, (seq, id, invalidateSeq) => {
      const { jsonrpc: _, ...members } = JSON.parse(frame(seq, id, invalidateSeq));
      assert.deepEqual(read(frame(seq, id, invalidateSeq)), members);
    }),
    { numRuns: 300, seed: 3 },
  );
});

test('a frame of any other spelling is left to the schemas', () => {
  const plain = frame(12, 34, 56);
  assert.notEqual(read(plain), 'other');
  const others = [
    '',
    '{}',
    `${plain} `,
    ` ${plain}`,
    plain.slice(0, -1),
    `${plain}}`,
    plain.replace('12', '012'),
    plain.replace('34', '-34'),
    plain.replace('34', '3.4'),
    plain.replace('34', '3e1'),
    plain.replace('34', '"34"'),
    plain.replace('34', ''),
    plain.replace('56', '1234567890123456'),
    plain.replace('56', '56,"more":1'),
    plain.replace('done', 'again'),
    plain.replace('"seq"', '"sEq"'),
    plain.replace('2.0', '2.1'),
    plain.replace(',"id"', ', "id"'),
  ];
  for (const other of others) assert.equal(read(other), 'other', other);
});

test('one byte that is not ASCII is noticed anywhere', () => {
  const plain = Buffer.from(frame(1_234, 5_678, 9));
  for (const [at, byte] of plain.entries()) {
    const changed = Buffer.from(plain);
    changed[at] = byte ^ 0x80;
    assert.equal(plainAnswer(changed), 'other', `byte ${at}`);
  }
});
