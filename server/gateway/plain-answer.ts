/**
 * The answer that arrives most often, read from its bytes: an `invalidate` that was carried out, as JSON.stringify
 * writes it. Everything else is for JSON.parse and the schemas; what is read here, they would read the same.
 */

export interface PlainAnswer {
  readonly seq: number;
  readonly id: number;
  readonly result: { readonly result: 'done'; readonly invalidate_seq: number };
}

const BEFORE_SEQ = Buffer.from('{"jsonrpc":"2.0","seq":');
const BEFORE_ID = Buffer.from(',"id":');
const BEFORE_INVALIDATE_SEQ = Buffer.from(',"result":{"result":"done","invalidate_seq":');
const END = Buffer.from('}}');
/** Every number of this many digits is a safe integer. */
const DIGITS_MAX = 15;
const ZERO = 0x30;
const NINE = 0x39;

/** Reads a text frame; 'other' if it is anything else, or the same in another spelling. */
export function plainAnswer(data: Uint8Array): PlainAnswer | 'other' {
  const seqAt = BEFORE_SEQ.length;
  if (!isAt(data, 0, BEFORE_SEQ)) return 'other';
  const seqEnd = numberEnd(data, seqAt);
  const idAt = seqEnd + BEFORE_ID.length;
  if (seqEnd === seqAt || !isAt(data, seqEnd, BEFORE_ID)) return 'other';
  const idEnd = numberEnd(data, idAt);
  const lastAt = idEnd + BEFORE_INVALIDATE_SEQ.length;
  if (idEnd === idAt || !isAt(data, idEnd, BEFORE_INVALIDATE_SEQ)) return 'other';
  const lastEnd = numberEnd(data, lastAt);
  if (lastEnd === lastAt || !isAt(data, lastEnd, END)) return 'other';
  if (lastEnd + END.length !== data.length) return 'other';
  const seq = numberAt(data, seqAt, seqEnd);
  const id = numberAt(data, idAt, idEnd);
  return { seq, id, result: { result: 'done', invalidate_seq: numberAt(data, lastAt, lastEnd) } };
}

function isAt(data: Uint8Array, at: number, text: Uint8Array): boolean {
  if (at + text.length > data.length) return false;
  for (let byte = 0; byte < text.length; byte += 1) {
    if (data[at + byte] !== text[byte]) return false;
  }
  return true;
}

/** The place behind the whole number at `at`; `at` itself if there is none that JSON and a double can carry. */
function numberEnd(data: Uint8Array, at: number): number {
  let end = at;
  while (isDigit(data[end])) end += 1;
  const leadingZero = end - at > 1 && data[at] === ZERO;
  return leadingZero || end - at > DIGITS_MAX ? at : end;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

function numberAt(data: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let digit = at; digit < end; digit += 1) value = value * 10 + ((data[digit] ?? 0) - ZERO);
  return value;
}
