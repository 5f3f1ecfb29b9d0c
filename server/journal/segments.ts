/**
 * A recording in several files, so that its beginning can be removed: `demo-2026.jsonl`, then `demo-2026.jsonl.1048600`
 * with what stands behind so many bytes of it. Places are those of the whole, and the sums go on from one to the next.
 */
import { readdirSync, unlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { writeWholeFile } from './whole-file.ts';
import { linesOfFile } from './whole-lines.ts';

export interface Segment {
  readonly path: string;
  /** Bytes of the recording before it. */
  readonly from: number;
}

export function segmentPath(recording: string, from: number): string {
  return from === 0 ? recording : `${recording}.${from}`;
}

/** In order; the first is the recording's own file. Throws what the file system throws. */
export function segmentsOf(recording: string): [Segment, ...Segment[]] {
  const begins = `${basename(recording)}.`;
  const later = readdirSync(dirname(recording))
    .filter((file) => file.startsWith(begins) && /^\d+$/.test(file.slice(begins.length)))
    .map((file) => Number(file.slice(begins.length)))
    .sort((a, b) => a - b)
    .map((from) => ({ path: segmentPath(recording, from), from }));
  return [{ path: recording, from: 0 }, ...later];
}

/** The one that has byte `at` of the recording. */
export function segmentWith(segments: readonly [Segment, ...Segment[]], at: number): Segment {
  return segments.findLast(({ from }) => from <= at) ?? segments[0];
}

/**
 * Removes segments from the front whose last byte stands before `place`, as long as `keep` bytes of the recording,
 * which has `length`, are left. Of the first the header stays. Throws what the file system throws.
 */
export function removeSegments(
  recording: string,
  place: number,
  { keep, length }: { readonly keep: number; readonly length: number },
): void {
  const segments = segmentsOf(recording);
  for (const [at, { path, from }] of segments.entries()) {
    const next = segments[at + 1];
    if (next === undefined || next.from >= place || length - next.from < keep) return;
    if (from > 0) unlinkSync(path);
    else {
      const [header] = linesOfFile(path).take(1);
      if (header !== undefined && header.end < next.from) writeWholeFile(path, `${header.text}\n`);
    }
  }
}
