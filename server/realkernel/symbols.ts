/** Addresses of a kernel: of its symbols, and of the calls in its functions. */

/** A call in the text of a function. */
export interface CallSite {
  /** Of the call instruction. */
  readonly address: bigint;
  readonly target: bigint;
}

const CALL = 0xe8;
const JUMP = 0xe9;
/** Of x86-64: everything below is a process's own. */
const KERNEL_BEGINS = 0xffff800000000000n;
/** Of a call or jump with a displacement. */
export const CALL_BYTES = 5;

export class Symbols {
  readonly #addresses = new Map<string, bigint>();
  /** All of the text, in order. */
  readonly #text: bigint[] = [];

  /** `map` as System.map or /proc/kallsyms: address, type, name. */
  constructor(map: string) {
    for (const line of map.split('\n')) {
      const [address, type, name] = line.trim().split(/\s+/);
      if (address === undefined || type === undefined || name === undefined) continue;
      const at = BigInt(`0x${address}`);
      if (!this.#addresses.has(name)) this.#addresses.set(name, at);
      if (type === 't' || type === 'T' || type === 'W' || type === 'w') this.#text.push(at);
    }
    this.#text.sort((a, b) => Number(a - b));
  }

  /** Also of a copy that the compiler has made of it: `NAME.constprop.0`, `NAME.isra.0`. */
  addressOf(name: string): bigint | 'unknown' {
    const known = this.#addresses.get(name);
    if (known !== undefined) return known;
    for (const [other, address] of this.#addresses) {
      if (other.startsWith(`${name}.`) && !other.startsWith(`${name}.cold`)) return address;
    }
    return 'unknown';
  }

  /** Bytes from the function's first to the next symbol of the text. */
  sizeOf(address: bigint): number {
    let [low, high] = [0, this.#text.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#text[middle] as bigint) <= address) low = middle + 1;
      else high = middle;
    }
    return Number((this.#text[low] ?? address + 4_096n) - address);
  }

  /** The function that `address` stands in, with how far: `NAME+0x12`. */
  nameOf(address: bigint): string {
    if (address < KERNEL_BEGINS) return 'user space';
    let [name, from] = ['', 0n];
    for (const [other, at] of this.#addresses) {
      if (at <= address && at > from) [name, from] = [other, at];
    }
    return name === '' ? `0x${address.toString(16)}` : `${name}+0x${(address - from).toString(16)}`;
  }
}

/**
 * Calls of `target` in the text of a function that begins at `address`, in the order of their addresses; a jump there
 * is a call at its end. Bytes that only look like a call have no target that is a function's first byte, but by a
 * chance of one in billions.
 */
export function callsOf(target: bigint, text: Buffer, address: bigint): CallSite[] {
  const found: CallSite[] = [];
  for (let at = 0; at + CALL_BYTES <= text.length; at += 1) {
    if (text[at] !== CALL && text[at] !== JUMP) continue;
    const here = address + BigInt(at);
    if (here + BigInt(CALL_BYTES) + BigInt(text.readInt32LE(at + 1)) === target) {
      found.push({ address: here, target });
    }
  }
  return found;
}
