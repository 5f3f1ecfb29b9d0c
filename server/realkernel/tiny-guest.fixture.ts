/**
 * A guest of a hundred bytes, for tests: the first CPU starts the second, and then each counts in a place of its own.
 * Source: Multiboot Specification 0.6.96, section 3.1; Intel SDM 3A, section 8.4.
 */
const LOADED_AT = 0x100000;
const HEADER_BYTES = 32;

export const COUNTERS = { first: 0xa000n, second: 0x9000n } as const;

/** `inc dword [0x9000]; jmp` in real mode, written to 0x8000, where the second CPU begins. */
const SECOND = [
  [0xc7, 0x05, 0x00, 0x80, 0x00, 0x00, 0x66, 0xff, 0x06, 0x00],
  [0xc7, 0x05, 0x04, 0x80, 0x00, 0x00, 0x90, 0xeb, 0xf9, 0x90],
].flat();
/** To all others: INIT; a while; begin at page 8. */
const START_SECOND = [
  [0xc7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x00, 0x45, 0x0c, 0x00],
  [0xb9, 0x00, 0x00, 0x10, 0x00, 0xe2, 0xfe],
  [0xc7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x08, 0x46, 0x0c, 0x00],
].flat();
/** `inc dword [0xa000]; jmp` */
const FIRST = [0xff, 0x05, 0x00, 0xa0, 0x00, 0x00, 0xeb, 0xf8];

/** Where the first CPU counts. */
export const FIRST_LOOP = BigInt(LOADED_AT + HEADER_BYTES + SECOND.length + START_SECOND.length);
/** Its loop has two instructions. */
export const FIRST_JUMP = FIRST_LOOP + 6n;

export function tinyGuest(): Buffer {
  const code = Buffer.from([...SECOND, ...START_SECOND, ...FIRST]);
  const header = Buffer.alloc(HEADER_BYTES);
  const [magic, flags] = [0x1badb002, 0x00010000];
  const end = LOADED_AT + HEADER_BYTES + code.length;
  const words = [magic, flags, -(magic + flags) >>> 0, LOADED_AT, LOADED_AT, end, end];
  for (const [at, word] of [...words, LOADED_AT + HEADER_BYTES].entries()) {
    header.writeUInt32LE(word, 4 * at);
  }
  return Buffer.concat([header, code]);
}
