/** The sum at the end of each line of a file. See journal-format.ts. */
import { crc32 } from 'node:zlib';

const FIELD = /,"sum":"([0-9a-f]{8})"\}$/;

/** A JSON object as a line with its sum, and the sum to go on with. */
export function summedLine(json: string, before: number): { line: string; sum: number } {
  const sum = crc32(json, before);
  return { line: `${json.slice(0, -1)},"sum":"${hex(sum)}"}\n`, sum };
}

/** The object without its sum; 'wrong' if it is not the sum of this line behind `before`. */
export function checkedSum(
  line: string,
  before: number,
): { json: string; sum: number } | 'none' | 'wrong' {
  const found = FIELD.exec(line);
  if (found === null) return 'none';
  const json = `${line.slice(0, found.index)}}`;
  const sum = crc32(json, before);
  return hex(sum) === found[1] ? { json, sum } : 'wrong';
}

function hex(sum: number): string {
  return sum.toString(16).padStart(8, '0');
}
