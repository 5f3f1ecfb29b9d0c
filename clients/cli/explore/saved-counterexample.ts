/** What `explore` keeps of a counterexample: the token that it prints, and the file of --save. */
import { accessSync, constants, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { machineHash, scheduleHash } from '../../../server/journal/model-hash.ts';
import { DIAGRAM_COLUMNS_MAX, raceDiagram } from '../../../server/report/diagram.ts';
import { recordExecution } from '../../../server/verify/answer/record-execution.ts';
import type { Counterexample } from '../../../server/verify/counterexample/counterexample.ts';
import { printCounterexample } from '../../../server/verify/counterexample/counterexample-file.ts';
import { counterexampleOf } from '../../../server/verify/counterexample/counterexample-of.ts';
import { printToken } from '../../../server/verify/counterexample/counterexample-token.ts';
import type { ScenarioVerdict } from '../../../server/verify/explore/explore-scenario.ts';
import { say } from '../ending.ts';
import { UsageError } from '../failure.ts';
import { codeName, patchesName } from './plan-of-counterexample.ts';

/** A longer token belongs into a file. */
const TOKEN_PRINTED_MAX = 1_000;

export interface SavedQuestion {
  readonly patch: string;
  readonly driver: readonly string[];
  readonly strategy: string;
}

/** A counterexample in both forms. */
export interface SavedCounterexample {
  readonly counterexample: Counterexample;
  readonly token: string;
}

const SERVER = fileURLToPath(new URL('../../../server', import.meta.url));

/** Names the machine that runs here: recordings are of it. */
export function machineHere(): string {
  return machineHash(SERVER);
}

/** Names the machine and the drivers that run here: schedules are of them. */
export function modelHere(): string {
  return scheduleHash(SERVER);
}

/** Of a verdict without a counterexample: 'none'. */
export function keptOf(
  verdict: ScenarioVerdict,
  { patch, driver, strategy }: SavedQuestion,
): SavedCounterexample | 'none' {
  if (verdict.counterexample === 'none') return 'none';
  const drivers = driver.map((choice) => {
    const at = choice.indexOf('=');
    const actor = at < 0 ? '*' : choice.slice(0, at);
    return [actor, codeName(choice.slice(at + 1))] as const;
  });
  const counterexample = counterexampleOf(verdict, {
    patch: patchesName(patch),
    drivers: Object.fromEntries(drivers),
    strategy,
    modelHash: modelHere(),
  });
  return counterexample === 'none' ? 'none' : keep(counterexample);
}

function keep(counterexample: Counterexample): SavedCounterexample {
  return { counterexample, token: printToken(counterexample) };
}

export function tokenOf(kept: SavedCounterexample | 'none'): string | 'none' {
  return kept === 'none' ? 'none' : kept.token;
}

/** The command that shows it again: a line of text, empty where there is nothing to show. */
export function reproduceLine(kept: SavedCounterexample | 'none'): string {
  if (kept === 'none') return '';
  const how =
    kept.token.length > TOKEN_PRINTED_MAX
      ? 'write it into a file with --save FILE, then npx mmrace replay FILE'
      : `npx mmrace replay ${kept.token}`;
  return `\nReproduce: ${how}`;
}

/** `npx mmrace replay mmr1.…` */
export function reproduceCommand(counterexample: Counterexample): string {
  return `npx mmrace replay ${printToken(counterexample)}`;
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

/** With the diagram at its head, for a reader of the file. Throws: UsageError. */
export function saveKept(
  file: string,
  kept: SavedCounterexample | 'none',
  verdict: ScenarioVerdict,
): void {
  if (kept === 'none' || verdict.counterexample === 'none') {
    say(`${file}: not written: there is no counterexample to save`);
    return;
  }
  const about = raceDiagram(recordExecution(verdict.plan, verdict.counterexample.choices).events, {
    columns: DIAGRAM_COLUMNS_MAX,
    turn: verdict.counterexample.turn,
  }).split('\n');
  const { format, version, ...rest } = kept.counterexample;
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
