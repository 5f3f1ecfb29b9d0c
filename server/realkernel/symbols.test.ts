import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callsOf, Symbols } from './symbols.ts';

const MAP = `
ffffffff81000000 T _text
ffffffff81000100 t dmirror_fault
ffffffff81000180 t dmirror_migrate_to_device.constprop.0
ffffffff81000200 T mutex_lock
ffffffff81000210 D pcpu_hot
ffffffff81000300 T mutex_unlock
`;
const symbols = new Symbols(MAP);

test('a symbol is found by its name, also where the compiler has made a copy of it', () => {
  assert.equal(symbols.addressOf('mutex_lock'), 0xffffffff81000200n);
  assert.equal(symbols.addressOf('dmirror_migrate_to_device'), 0xffffffff81000180n);
  assert.equal(symbols.addressOf('dmirror_migrate'), 'unknown');
});

test('a function goes up to the next one, whatever data has an address between', () => {
  assert.equal(symbols.sizeOf(0xffffffff81000100n), 0x80);
  assert.equal(symbols.sizeOf(0xffffffff81000200n), 0x100);
  assert.equal(symbols.nameOf(0xffffffff81000123n), 'dmirror_fault+0x23');
  assert.equal(symbols.nameOf(0x401234n), 'user space');
});

test('calls are those whose displacement leads to the function, jumps to it among them', () => {
  const address = 0xffffffff81000100n;
  const target = 0xffffffff81000200n;
  const text = Buffer.alloc(0x40, 0x90);
  const put = (at: number, opcode: number, to: bigint) => {
    text[at] = opcode;
    text.writeInt32LE(Number(to - (address + BigInt(at) + 5n)), at + 1);
  };
  put(0x04, 0xe8, target);
  put(0x10, 0xe8, 0xffffffff81000300n);
  put(0x20, 0xe9, target);
  assert.deepEqual(
    callsOf(target, text, address).map((call) => call.address - address),
    [0x04n, 0x20n],
  );
});
