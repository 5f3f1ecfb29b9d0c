/** A counterexample as JSON: one block of the schedule and one step a line, so that a diff shows what differs. */
import { explain, type Mismatch } from '../../protocol/explain.ts';
import { COUNTEREXAMPLE_VERSION, Counterexample, yieldPointsHash } from './counterexample.ts';

/** Bytes of a file; the largest scenario with the longest schedule stays far below. */
export const FILE_BYTES_MAX = 64 * 1024 * 1024;

/** Ends with a newline. */
export function printCounterexample(counterexample: Counterexample): string {
  const { schedule, steps, ...head } = counterexample;
  const body = JSON.stringify(head, null, 2).slice(0, -2);
  const lines = (values: readonly unknown[]) =>
    values.map((value) => `    ${JSON.stringify(value)}`).join(',\n');
  return `${body},\n  "schedule": [\n${lines(schedule)}\n  ],\n  "steps": [\n${lines(steps)}\n  ]\n}\n`;
}

/** Returns: the counterexample; or what is wrong with `json`, as a path and the end of "expected ...". */
export function parseCounterexample(json: unknown): Counterexample | Mismatch {
  const found = explain(Counterexample, json, '');
  if (found !== 'none') return { ...found, path: found.path === '' ? 'file' : found.path };
  const counterexample = json as Counterexample;
  if (counterexample.version > COUNTEREXAMPLE_VERSION) {
    const bound = `at most ${COUNTEREXAMPLE_VERSION}: a newer mmrace wrote this`;
    return { path: 'version', bound };
  }
  return lengthMismatch(counterexample) ?? counterexample;
}

/** A file may have been edited: whatever can be checked against something else, is. */
function lengthMismatch({ schedule, steps, model, found }: Counterexample): Mismatch | undefined {
  const taken = schedule.reduce((sum, [, count]) => sum + count, 0);
  if (taken !== steps.length) {
    return { path: 'steps', bound: `${taken} names, as many as the schedule has steps` };
  }
  if (model.yieldPoints !== undefined && model.yieldPoints !== yieldPointsHash(steps)) {
    return { path: 'steps', bound: `the names that model.yieldPoints was made of` };
  }
  if (found.pointOfNoReturn !== 'unknown' && found.pointOfNoReturn > steps.length) {
    return { path: 'found.pointOfNoReturn', bound: `a step, at most ${steps.length}` };
  }
  return undefined;
}
