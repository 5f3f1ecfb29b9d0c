/**
 * Opens the labs again that an earlier server kept in its folder of recordings: with their codes and presenters, their
 * memory, and the sessions of their clients, who may come back. A lab of which anything is wrong is there under its
 * name as `damaged`: never an empty one.
 */
import { join } from 'node:path';
import type { Durability } from '../journal/durability.ts';
import { continuedRecorder, type FileRecorder } from '../journal/file-recorder.ts';
import type { JournalHeader } from '../journal/journal-format.ts';
import { type KeptLab, keptLabs, readLabFile } from '../journal/lab-file.ts';
import { JournalError, type JournalLine, journalLines } from '../journal/read-journal.ts';
import type { Lab } from '../live/lab.ts';
import type { LabBeginning } from '../live/lab-beginning.ts';
import type { NewRestoredLink } from '../live/lab-replay.ts';
import { type Labs, STOCK_MACHINE, type Stay } from '../live/labs.ts';
import type { ActorName } from '../machine/remote/inbound.ts';

/** Milliseconds of restoring between two turns of the event loop. */
const SLICE_MS = 20;

export interface RestoreOptions {
  readonly directory: string;
  readonly labs: Labs;
  /** The model that runs here. */
  readonly model: JournalHeader['model'];
  readonly durability: Durability;
  readonly newLink: (lab: Lab) => NewRestoredLink;
  /** The lab goes on in this recording. */
  readonly goesOn: (lab: Lab, stay: Stay, recorder: FileRecorder) => void;
  readonly onRestored: (lab: string, state: 'as it was' | 'damaged', why: string) => void;
  /** The server ends: what is not restored yet stays as it is. */
  readonly stopped: () => boolean;
}

/** A lab that is there under its name, and has yet to be led to where it was. */
export interface Found {
  readonly lab: Lab;
  readonly kept: KeptLab;
  readonly path: string;
}

/** Nothing was ever answered to the frame of `actor` that made the machine throw. */
interface Poison {
  readonly line: number;
  readonly actor: ActorName | 'none';
}

/** All of them, at once under their names as `restoring`, or `damaged`. Throws what the file system throws. */
export function findLabs(options: RestoreOptions): Found[] {
  return keptLabs(options.directory).flatMap((name) => findLab(options, name));
}

/** One of them. Empty if it is damaged: then it is there as such. */
export function findLab(options: RestoreOptions, name: string): Found[] {
  let kept: KeptLab | 'unreadable' = 'unreadable';
  try {
    kept = readLabFile(options.directory, name);
    const path = join(options.directory, kept.journal);
    const { config, generation = 0 } = usableHeader(path, name, options.model);
    const lab = options.labs.restoring(name, config, kept.stay, beginningOf(kept, generation));
    if (lab !== 'too-many') return [{ lab, kept, path }];
    options.onRestored(name, 'damaged', 'there are too many labs');
  } catch (error) {
    const why = messageOf(error);
    const beginning = beginningOf(kept, 0);
    const lab = options.labs.restoring(name, STOCK_MACHINE, 'kept', beginning);
    if (lab !== 'too-many') lab.damaged(why);
    options.onRestored(name, 'damaged', why);
  }
  return [];
}

/** One after the other; between slices of them the server does what else there is. */
export async function restoreLabs(options: RestoreOptions, found: readonly Found[]): Promise<void> {
  for (const one of found) await restoreLab(options, one);
}

async function restoreLab(options: RestoreOptions, found: Found): Promise<void> {
  const { lab, kept, path } = found;
  const poison = await lead(options, found, lab, 'none');
  if (poison === 'none') return;
  // The machine has thrown within an entry whose client never had an answer: as if the frame had not come.
  const { name } = kept;
  const { config } = lab;
  options.labs.forget(lab);
  const { generation = 0 } = usableHeader(path, name, options.model);
  const again = options.labs.restoring(name, config, kept.stay, beginningOf(kept, generation));
  if (again !== 'too-many') await lead(options, found, again, poison);
}

/** Returns: the entry that the machine threw at, if it is the last and was never settled. */
async function lead(
  options: RestoreOptions,
  { kept, path }: Found,
  lab: Lab,
  cut: Poison | 'none',
): Promise<Poison | 'none'> {
  const replay = lab.restoring(options.newLink(lab));
  const lines = journalLines(path);
  let at: JournalLine | 'none' = 'none';
  let slice = performance.now();
  try {
    for (const line of lines) {
      if (cut !== 'none' && line.line === cut.line) break;
      if (line.kind !== 'header') {
        try {
          replay.take(line);
        } catch (error) {
          const unsettled = line.kind === 'entry' && lines.next().done === true;
          if (unsettled && cut === 'none') return { line: line.line, actor: actorOf(line) };
          throw differsAt(path, line.line, error);
        }
      }
      at = line;
      if (performance.now() - slice < SLICE_MS) continue;
      await nextTurn();
      if (options.stopped()) return 'none';
      slice = performance.now();
    }
    goOn(options, { lab, kept, path }, at, replay);
    if (cut !== 'none' && cut.actor !== 'none') lab.actors.get(cut.actor)?.link.close('internal');
    options.onRestored(lab.name, 'as it was', cut === 'none' ? '' : `without line ${cut.line}`);
  } catch (error) {
    lab.damaged(messageOf(error));
    options.onRestored(lab.name, 'damaged', messageOf(error));
  }
  return 'none';
}

function goOn(
  options: RestoreOptions,
  { lab, kept, path }: Found,
  at: JournalLine | 'none',
  { n, digest }: ReturnType<Lab['restoring']>,
): void {
  const where = at === 'none' ? { bytes: 0, sum: 'none' as const } : at;
  if (where.sum === 'none') throw new JournalError(path, 1, 'expected lines with sums');
  const soFar = { n, digest, bytes: where.bytes, sum: where.sum };
  const recorder = continuedRecorder(path, soFar, options.durability);
  options.goesOn(lab, kept.stay, recorder);
  lab.restored(recorder);
}

function beginningOf(kept: KeptLab | 'unreadable', generation: number): LabBeginning {
  const begins = 'restored';
  if (kept === 'unreadable') {
    const scene = { scenario: 'none', setup: [], seats: [], todo: [] };
    return { scene, begins, generation, joinCode: 'new', presenterToken: 'new' };
  }
  const { scenario, setup, seats, todo, joinCode, presenterToken } = kept;
  return { scene: { scenario, setup, seats, todo }, begins, generation, joinCode, presenterToken };
}

/** Throws: JournalError if it cannot be executed here; what the file system throws. */
function usableHeader(path: string, lab: string, model: JournalHeader['model']): JournalHeader {
  const [first] = journalLines(path).take(1);
  if (first?.kind !== 'header') throw new JournalError(path, 1, 'expected a header');
  const { header } = first;
  if (header.lab !== lab) throw new JournalError(path, 1, `lab: expected ${lab}`);
  if (header.model.hash === model.hash) return header;
  const by = `${header.model.hash.slice(0, 8)} of mmrace ${header.model.version}`;
  const here = `${model.hash.slice(0, 8)} of mmrace ${model.version}`;
  throw new JournalError(path, 1, `recorded by another model (${by}; this is ${here})`);
}

function differsAt(path: string, line: number, error: unknown): JournalError {
  return new JournalError(path, line, messageOf(error), { cause: error });
}

function actorOf(line: Extract<JournalLine, { kind: 'entry' }>): ActorName | 'none' {
  return 'actor' in line.inbound ? line.inbound.actor : 'none';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
