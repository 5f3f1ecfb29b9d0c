/** What `explore` keeps of a counterexample: the token that it prints, and the file of --save. */
import { accessSync, constants, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelHash } from '../../../server/journal/model-hash.ts';
import type { Counterexample } from '../../../server/lab/counterexample/counterexample.ts';
import { printCounterexample } from '../../../server/lab/counterexample/counterexample-file.ts';
import { counterexampleOf } from '../../../server/lab/counterexample/counterexample-of.ts';
import { printToken } from '../../../server/lab/counterexample/counterexample-token.ts';
import type { ScenarioVerdict } from '../../../server/lab/explore/explore-scenario.ts';
import { raceDiagram } from '../../../server/lab/report/diagram.ts';
import { eventsOf } from '../explored/events.ts';
import { UsageError } from '../failure.ts';
import { codeName } from './plan-of-counterexample.ts';

/** A longer token belongs into a file. */
const TOKEN_PRINTED_MAX = 2_000;

export interface KeptQuestion {
  readonly patch: string;
  readonly driver: readonly string[];
  readonly strategy: string;
}

/** The sources that run here. */
export function modelHere(): string {
  return modelHash(fileURLToPath(new URL('../../../server', import.meta.url)));
}

export function counterexampleFound(
  verdict: ScenarioVerdict,
  { patch, driver, strategy }: KeptQuestion,
): Counterexample | 'none' {
  if (verdict.counterexample === 'none') return 'none';
  const drivers = driver.map((choice) => {
    const at = choice.indexOf('=');
    const actor = at < 0 ? '*' : choice.slice(0, at);
    return [actor, codeName(choice.slice(at + 1))] as const;
  });
  return counterexampleOf(verdict, {
    patch: codeName(patch),
    drivers: Object.fromEntries(drivers),
    strategy,
    modelHash: modelHere(),
  });
}

/** `npx mmrace replay mmr1.…`, or 'none' if the token is too long to be printed. */
export function reproduceCommand(counterexample: Counterexample): string | 'none' {
  const token = printToken(counterexample);
  return token.length > TOKEN_PRINTED_MAX ? 'none' : `npx mmrace replay ${token}`;
}

/** Throws: UsageError if `file` could not be written; asked before a search that may take long. */
export function checkWritable(file: string): void {
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${file}: cannot be written: ${why}`, { cause: error });
  }
}

/** With the diagram at its head, for whoever opens the file. Throws: UsageError. */
export function saveCounterexample(
  file: string,
  counterexample: Counterexample,
  verdict: ScenarioVerdict,
): void {
  const { plan } = verdict;
  const choices = verdict.counterexample === 'none' ? [] : verdict.counterexample.choices;
  const about = raceDiagram(eventsOf(plan, choices)).split('\n');
  const { format, version, ...rest } = counterexample;
  writeText(file, printCounterexample({ format, version, about, ...rest }));
}

/** Throws: UsageError. */
export function writeText(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${file}: cannot be written: ${why}`, { cause: error });
  }
}
