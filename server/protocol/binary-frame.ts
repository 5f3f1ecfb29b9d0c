/**
 * The layout of a frame that carries pages:
 *
 *   u32 LE   length of the JSON text in bytes
 *   ...      the JSON-RPC object, UTF-8
 *   then for each page, to the end of the frame:
 *     u16 LE   length in bytes, at most 4096
 *     ...      the page without its trailing zeros
 */
import { PAGE_SIZE } from '../vocabulary/address.ts';
import { type PageContents, pageContents } from '../vocabulary/page-contents.ts';

const JSON_LENGTH_BYTES = 4;
const PAGE_LENGTH_BYTES = 2;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder('utf-8', { fatal: true });

export interface BinaryFrame {
  readonly json: string;
  readonly pages: readonly PageContents[];
}

/** `json` is the text of the frame's object. */
export function encodeBinaryFrame(
  json: string,
  pages: readonly PageContents[],
): Uint8Array<ArrayBuffer> {
  const text = ENCODER.encode(json);
  let bytes = JSON_LENGTH_BYTES + text.length;
  for (const page of pages) bytes += PAGE_LENGTH_BYTES + page.length;
  const frame = new Uint8Array(bytes);
  const view = new DataView(frame.buffer);
  view.setUint32(0, text.length, true);
  frame.set(text, JSON_LENGTH_BYTES);
  let at = JSON_LENGTH_BYTES + text.length;
  for (const page of pages) {
    view.setUint16(at, page.length, true);
    frame.set(page, at + PAGE_LENGTH_BYTES);
    at += PAGE_LENGTH_BYTES + page.length;
  }
  return frame;
}

/** Copies the pages out of `frame`. Returns what is wrong with the layout, in the words of "expected ...". */
export function decodeBinaryFrame(frame: Uint8Array): BinaryFrame | { readonly bound: string } {
  if (frame.length < JSON_LENGTH_BYTES) return { bound: 'a binary frame of at least 4 bytes' };
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const jsonEnd = JSON_LENGTH_BYTES + view.getUint32(0, true);
  if (jsonEnd > frame.length) return { bound: 'a JSON length within the frame' };
  const pages: PageContents[] = [];
  for (let at = jsonEnd; at < frame.length; ) {
    if (at + PAGE_LENGTH_BYTES > frame.length) return { bound: 'a whole u16 before each page' };
    const length = view.getUint16(at, true);
    const end = at + PAGE_LENGTH_BYTES + length;
    if (length > PAGE_SIZE) return { bound: `at most ${PAGE_SIZE} bytes in page ${pages.length}` };
    if (end > frame.length) return { bound: `page ${pages.length} to end within the frame` };
    const bytes = new Uint8Array(length);
    bytes.set(frame.subarray(at + PAGE_LENGTH_BYTES, end));
    pages.push(pageContents(bytes));
    at = end;
  }
  try {
    return { json: DECODER.decode(frame.subarray(JSON_LENGTH_BYTES, jsonEnd)), pages };
  } catch {
    return { bound: 'a JSON text in UTF-8' };
  }
}
