/** From a line that was typed to a verb with its values, or one sentence that says what is wrong with it. */

import { CPU_REQUESTS } from '../../../server/protocol/cpu-requests.ts';
import { DEVICE_REQUESTS } from '../../../server/protocol/device-requests.ts';
import { PAGE_SIZE } from '../../../server/vocabulary/address.ts';
import { assertNever } from '../../../server/vocabulary/invariant.ts';
import { suggestion } from '../../../server/vocabulary/nearest-word.ts';
import { addressOfPlace, type Mapping, PLACE_WORDS, parsePlace, type TypedPlace } from './place.ts';
import { type Value, Values } from './values.ts';
import { type Argument, type PromptRole, type PromptVerb, usageOf } from './verb.ts';
import { verbsOf } from './verb-table.ts';

interface Wrong {
  readonly wrong: string;
}

type Word = Value | { readonly kind: 'place'; readonly place: TypedPlace; readonly step: number };

/** A line whose words are of the right kinds. Where its places are depends on what is mapped. */
export interface ParsedLine {
  readonly text: string;
  readonly verb: PromptVerb;
  readonly words: ReadonlyMap<string, readonly Word[]>;
  /** 'background': a line that ends in `&` does not keep the prompt waiting. */
  readonly wait: 'foreground' | 'background';
}

const WORD_BYTES = 8;
const U64_MAX = 2n ** 64n - 1n;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** A line of nothing but spaces, or a remark after `#`, is 'empty'. */
export function parseLine(text: string, role: PromptRole): ParsedLine | Wrong | 'empty' {
  const words = text.replace(/(^|\s)#.*$/, '').match(/\S+/g) ?? [];
  const wait = words.at(-1) === '&' ? 'background' : 'foreground';
  if (wait === 'background') words.pop();
  const [name, ...rest] = words;
  if (name === undefined) return 'empty';
  const verb = findVerb(name, role);
  if ('wrong' in verb) return verb;
  const parsed = parseWords(verb, rest, role);
  return 'wrong' in parsed ? parsed : { text: text.trim(), verb, words: parsed.words, wait };
}

export function findVerb(name: string, role: PromptRole): PromptVerb | Wrong {
  const verbs = verbsOf(role);
  const found = verbs.find((verb) => verb.name === name);
  if (found !== undefined) return found;
  const near = suggestion(
    name,
    verbs.map((verb) => verb.name),
  );
  const other = role === 'device' ? 'cpu' : 'device';
  const elsewhere = verbsOf(other).some((verb) => verb.name === name);
  const instead = near === '' ? ';' : near;
  const hint = elsewhere ? `, but a ${other} has;` : instead;
  return { wrong: `${name}: a ${role} has no such verb${hint} help lists them` };
}

/** Needs the mappings only for places that are relative to one. */
export function valuesOf(line: ParsedLine, mappings: readonly Mapping[]): Values | Wrong {
  const values = new Map<string, readonly Value[]>();
  for (const [name, words] of line.words) {
    const resolved: Value[] = [];
    for (const word of words) {
      const value = word.kind === 'place' ? addressValue(word, mappings) : word;
      if ('wrong' in value) return { wrong: `${line.verb.name}: ${value.wrong}` };
      resolved.push(value);
    }
    values.set(name, resolved);
  }
  return new Values(values);
}

/** True if the line means another place when something else is mapped. */
export function needsMappings(line: ParsedLine): boolean {
  return [...line.words.values()]
    .flat()
    .some((word) => word.kind === 'place' && word.place.base !== 'zero');
}

/** The kernel functions of which a hold can stand behind one. */
export function holdableFunctions(role: PromptRole): readonly string[] {
  return Object.keys(role === 'device' ? DEVICE_REQUESTS : CPU_REQUESTS);
}

function addressValue(
  { place, step }: Extract<Word, { kind: 'place' }>,
  mappings: readonly Mapping[],
): Value | Wrong {
  const found = addressOfPlace(place, mappings);
  if ('wrong' in found) return found;
  const { address } = found;
  if (address % step === 0) return { kind: 'address', address };
  const below = `0x${(address - (address % step)).toString(16)}`;
  const what = step === PAGE_SIZE ? 'the start of a page' : `a multiple of ${step}`;
  return { wrong: `${place.text}: expected ${what}, such as ${below}` };
}

/** Words that can be left out take one only if there are more words than are needed. */
function parseWords(
  verb: PromptVerb,
  given: readonly string[],
  role: PromptRole,
): { readonly words: ReadonlyMap<string, readonly Word[]> } | Wrong {
  const usage = `usage: ${usageOf(verb)}`;
  const needed = verb.arguments.filter(({ presence }) => typeof presence === 'string').length;
  let spare = given.length - needed;
  if (spare < 0) return { wrong: `${verb.name}: something is missing; ${usage}` };
  const words = new Map<string, readonly Word[]>();
  let at = 0;
  for (const argument of verb.arguments) {
    const taken = takeWords(argument, given.slice(at), spare);
    at += taken.given;
    spare -= taken.spare;
    if (taken.texts.length === 0) continue;
    const parsed: Word[] = [];
    for (const text of taken.texts) {
      const word = parseWord(argument, text, role);
      if ('wrong' in word) return { wrong: `${verb.name}: ${word.wrong}` };
      parsed.push(word);
    }
    words.set(argument.name, parsed);
  }
  const left = given.slice(at);
  return left.length === 0
    ? { words }
    : { wrong: `${verb.name}: ${left.join(' ')} is too much; ${usage}` };
}

function takeWords(
  { presence }: Argument,
  rest: readonly string[],
  spare: number,
): { readonly texts: readonly string[]; readonly given: number; readonly spare: number } {
  const [first] = rest;
  if (presence === 'some') return { texts: rest, given: rest.length, spare };
  if (presence === 'required') return { texts: rest.slice(0, 1), given: 1, spare: 0 };
  if (spare > 0 && first !== undefined) return { texts: [first], given: 1, spare: 1 };
  const { default: words } = presence;
  return { texts: words === 'none' ? [] : [words], given: 0, spare: 0 };
}

function parseWord(
  { kind, choices = [], name }: Argument,
  text: string,
  role: PromptRole,
): Word | Wrong {
  switch (kind) {
    case 'page':
    case 'word': {
      const place = parsePlace(text);
      if (place === 'none') return { wrong: `${text}: expected ${PLACE_WORDS}` };
      return { kind: 'place', place, step: kind === 'page' ? PAGE_SIZE : WORD_BYTES };
    }
    case 'count':
    case 'id':
      return wholeNumber(text, name, kind === 'count' ? 1 : 0);
    case 'u64':
      return u64(text);
    case 'choice':
      return oneOf(text, choices, name);
    case 'function':
      return oneOf(text, holdableFunctions(role), 'kernel function');
    case 'name':
      if (NAME.test(text)) return { kind: 'word', word: text };
      return { wrong: `${text}: expected a name of letters, digits, _ . -` };
    case 'verb':
      return { kind: 'word', word: text };
    default:
      return assertNever(kind);
  }
}

function wholeNumber(text: string, name: string, least: number): Word | Wrong {
  const number = Number(text);
  if (/^\d{1,9}$/.test(text) && number >= least) return { kind: 'number', number };
  return { wrong: `${text}: expected a whole number from ${least} on for ${name}` };
}

function u64(text: string): Word | Wrong {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? BigInt(text) : -1n;
  if (value >= 0n && value <= U64_MAX) return { kind: 'u64', hex: `0x${value.toString(16)}` };
  return { wrong: `${text}: expected a value below 2^64, such as 42 or 0x2a` };
}

function oneOf(text: string, known: readonly string[], what: string): Word | Wrong {
  if (known.includes(text)) return { kind: 'word', word: text };
  const near = suggestion(text, known);
  const list = known.length > 8 ? '' : `: ${known.join(', ')}`;
  return { wrong: `${text}: expected ${what.startsWith('k') ? 'a ' : ''}${what}${list}${near}` };
}
