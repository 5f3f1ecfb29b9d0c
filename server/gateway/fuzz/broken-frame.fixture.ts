/** Ways in which a frame can be wrong before its params are looked at, or in the shape of them. */
import type { Chance } from './chance.fixture.ts';

type Body = Record<string, unknown>;

const JUNK: readonly unknown[] = [
  null,
  -1,
  0.5,
  1e308,
  2 ** 53,
  '',
  '0x',
  'x'.repeat(300),
  true,
  [],
  {},
  [[[[]]]],
  { toString: 1 },
];

const METHODS = ['', 'constructor', '__proto__', 'hello', 'invalidate', 'load', 'x'.repeat(5_000)];

/** `frame` with one thing wrong with it, as bytes or as text. */
export function brokenFrame(frame: Body, chance: Chance): Buffer | string {
  // Few of those after which the session is over.
  switch (chance.below(40)) {
    case 0:
      return bytes(chance);
    case 1:
      return JSON.stringify(frame).slice(0, -1 - chance.below(20));
    case 2:
      return JSON.stringify([frame]);
    case 3:
      return JSON.stringify({ ...frame, seq: chance.below(10) });
    case 4:
      return withPages(JSON.stringify(frame), chance);
    case 5:
    case 6:
    case 7:
      return JSON.stringify({ ...frame, method: chance.of(METHODS) });
    default:
      return JSON.stringify(withJunk(frame, chance));
  }
}

/** Somewhere in it a value is another one, missing, or one too many. */
function withJunk(value: unknown, chance: Chance): unknown {
  if (typeof value !== 'object' || value === null || chance.in100(10)) return chance.of(JUNK);
  if (Array.isArray(value)) {
    if (value.length === 0 || chance.in100(30)) return [...value, chance.of(JUNK)];
    const at = chance.below(value.length);
    return value.map((one, index) => (index === at ? withJunk(one, chance) : one));
  }
  const keys = Object.keys(value);
  if (keys.length === 0 || chance.in100(10)) return { ...value, more: chance.of(JUNK) };
  const key = chance.of(keys);
  const rest: Body = { ...value };
  if (chance.in100(20)) delete rest[key];
  else rest[key] = withJunk(rest[key], chance);
  return rest;
}

function bytes(chance: Chance): Buffer {
  return Buffer.from(Array.from({ length: chance.below(40) }, () => chance.below(256)));
}

/** A binary frame whose pages do not end where it ends, or whose text does not. */
function withPages(text: string, chance: Chance): Buffer {
  const json = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(chance.in100(70) ? json.length : chance.below(2 ** 32));
  return Buffer.concat([length, json, bytes(chance)]);
}
