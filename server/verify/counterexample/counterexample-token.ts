/**
 * A counterexample as one word that survives a mail: `mmr1.`, then base64url of a check sum, the start of the model's
 * hash, and the rest as deflated text. The deflater begins with words that counterexamples are made of
 * (token-words.ts), so a short race fits in a line or two.
 */
import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import {
  COUNTEREXAMPLE_FORMAT,
  COUNTEREXAMPLE_VERSION,
  type CodeName,
  type Counterexample,
} from './counterexample.ts';
import { parseCounterexample } from './counterexample-file.ts';
import { TOKEN_WORDS } from './token-words.ts';

export const TOKEN_PREFIX = 'mmr1.';
/** Characters; longer ones belong into a file. */
export const TOKEN_CHARACTERS_MAX = 256 * 1024;
/** What a token may come to when it is inflated: a small one must not fill the memory. */
const TEXT_BYTES_MAX = 16 * 1024 * 1024;

const CHECK_BYTES = 3;
const MODEL_BYTES = 4;
const WORDS = Buffer.from(TOKEN_WORDS);
/** The lines of the text before the steps. */
const HEAD_LINES = 7;

/** A word that is no token of ours, or a damaged one. `message` says which, and what to do. */
export class BadToken extends Error {
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'BadToken';
  }
}

export function isToken(word: string): boolean {
  return /^mmr\d+\./.test(word);
}

/** A scenario that ships as it is (no `data`) is named; any other stands in the token itself. */
export function printToken(counterexample: Counterexample): string {
  const text = deflateRawSync(tokenText(counterexample), { level: 9, dictionary: WORDS });
  const model = Buffer.from(counterexample.model.hash.slice(0, MODEL_BYTES * 2), 'hex');
  const body = Buffer.concat([model, text]);
  return TOKEN_PREFIX + Buffer.concat([checkSum(body), body]).toString('base64url');
}

/** White space in it (a mail program has wrapped it) does not count. Throws: BadToken. */
export function parseToken(word: string): Counterexample {
  const token = word.replaceAll(/\s+/g, '');
  if (!token.startsWith(TOKEN_PREFIX)) {
    throw new BadToken(`a token begins with ${TOKEN_PREFIX}; a newer mmrace may write others`);
  }
  if (token.length > TOKEN_CHARACTERS_MAX) {
    throw new BadToken(`a token has at most ${TOKEN_CHARACTERS_MAX} characters`);
  }
  const encoded = token.slice(TOKEN_PREFIX.length);
  const bytes = Buffer.from(encoded, 'base64url');
  const body = bytes.subarray(CHECK_BYTES);
  const isWhole =
    bytes.toString('base64url') === encoded &&
    body.length > MODEL_BYTES &&
    checkSum(body).equals(bytes.subarray(0, CHECK_BYTES));
  if (!isWhole) {
    throw new BadToken(
      `the token is damaged (its check sum does not fit): copy all of it, from ${TOKEN_PREFIX} to its end`,
    );
  }
  const text = inflated(body.subarray(MODEL_BYTES));
  return ofText(text, body.subarray(0, MODEL_BYTES).toString('hex'));
}

function checkSum(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest().subarray(0, CHECK_BYTES);
}

function inflated(bytes: Buffer): string {
  try {
    const options = { dictionary: WORDS, maxOutputLength: TEXT_BYTES_MAX };
    return inflateRawSync(bytes, options).toString('utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BadToken(`the token cannot be read: ${why}`, { cause: error });
  }
}

function tokenText(counterexample: Counterexample): string {
  const { parameters, kernel, patch, drivers, failure, found, schedule, steps } = counterexample;
  const { verdict, strategy, executions, failures, windowEntered, pointOfNoReturn } = found;
  const { safeSwap = [] } = found;
  const head = [
    questionText(counterexample),
    Object.entries(parameters)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
    kernel === undefined ? codeText(patch) : `${codeText(patch)}\t${kernel}`,
    JSON.stringify(Object.entries(drivers).map(([actor, code]) => [actor, codeText(code)])),
    JSON.stringify(failure),
    [verdict, strategy, executions, failures, windowEntered, pointOfNoReturn, ...safeSwap].join(
      ' ',
    ),
    schedule.map(([task, count]) => (count === 1 ? `${task}` : `${task}*${count}`)).join(' '),
  ];
  return [...head, ...steps].join('\n');
}

/** A scenario that ships is its name; all else is JSON. */
function questionText({ scenario, from }: Counterexample): string {
  if (from !== undefined) return JSON.stringify({ lab: scenario.name, from });
  return scenario.data === undefined ? scenario.name : JSON.stringify(scenario.data);
}

function codeText({ name, hash }: CodeName): string {
  return hash === undefined ? name : `${name}#${hash}`;
}

function ofText(text: string, modelHash: string): Counterexample {
  const lines = text.split('\n');
  const [scenario = '', parameters = '', ran = '', drivers = '[]', failure = '""'] = lines;
  // Tokens of before there was a choice name no kernel.
  const [patch = '', kernel] = ran.split('\t');
  const [found = '', schedule = ''] = lines.slice(HEAD_LINES - 2);
  const [verdict, strategy, executions, failures, windowEntered, noReturn, ...swap] =
    found.split(' ');
  const json = {
    format: COUNTEREXAMPLE_FORMAT,
    version: COUNTEREXAMPLE_VERSION,
    ...questionOf(scenario),
    parameters: Object.fromEntries(pairs(parameters)),
    ...(kernel === undefined ? {} : { kernel }),
    patch: codeOf(patch),
    drivers: driversOf(drivers),
    model: { hash: modelHash },
    failure: jsonOf(failure),
    found: {
      verdict,
      strategy,
      executions: Number(executions),
      failures: Number(failures),
      windowEntered: Number(windowEntered),
      pointOfNoReturn: noReturn === 'unknown' ? noReturn : Number(noReturn),
      ...(swap.length === 0 ? {} : { safeSwap: swap.map(Number) }),
    },
    schedule: schedule.split(' ').map((block) => {
      const [task, count = '1'] = block.split('*');
      return [Number(task), Number(count)];
    }),
    steps: lines.slice(HEAD_LINES),
  };
  const parsed = parseCounterexample(json);
  if ('bound' in parsed) throw new BadToken(`the token: ${parsed.path}: expected ${parsed.bound}`);
  return parsed;
}

function pairs(text: string): [string, number][] {
  if (text === '') return [];
  return text.split(' ').map((pair) => {
    const [name = '', value] = pair.split('=');
    return [name, Number(value)];
  });
}

function questionOf(text: string): Pick<Counterexample, 'scenario' | 'from'> {
  if (!text.startsWith('{')) return { scenario: { name: text, hash: '' } };
  const data = jsonOf(text) as { readonly name?: unknown; readonly lab?: unknown } & Pick<
    Counterexample,
    'from'
  >;
  const { from, lab } = data;
  return from === undefined
    ? { scenario: { name: String(data.name), hash: '', data } }
    : { scenario: { name: String(lab), hash: '' }, from };
}

function driversOf(text: string): Counterexample['drivers'] {
  const entries = jsonOf(text);
  if (!Array.isArray(entries)) throw new BadToken('the token: drivers: expected a list');
  return Object.fromEntries(
    entries.map(([actor, code]: readonly unknown[]) => [String(actor), codeOf(String(code))]),
  );
}

function codeOf(text: string): CodeName {
  const at = text.lastIndexOf('#');
  return at < 0 ? { name: text } : { name: text.slice(0, at), hash: text.slice(at + 1) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadToken('the token: a part of it is not JSON', { cause: error });
  }
}
