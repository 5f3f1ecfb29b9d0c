import { Compile } from 'typebox/compile';
import { differences } from '../../../server/scenario/schema-problems.ts';
import { UsageError } from '../failure.ts';
import { SETTINGS } from './settings.ts';

/** What flags set, by the key of the setting. Throws: UsageError that names the flag. */
export function flagValues(
  given: ReadonlyMap<string, string>,
): Readonly<Record<string, string | number>> {
  const set = SETTINGS.flatMap(({ key, flag, schema }) => {
    const text = given.get(flag);
    if (text === undefined) return [];
    const value = Compile(schema).Check(Number(text)) ? Number(text) : text;
    const [problem] = Compile(schema).Check(value) ? [] : differences(schema, value);
    if (problem !== undefined) throw new UsageError(`${flag}: ${problem.message}`);
    return [[key, value] as const];
  });
  return Object.fromEntries(set);
}
