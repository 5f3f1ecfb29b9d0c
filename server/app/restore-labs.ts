/**
 * Opens the labs again that an earlier server kept in its folder of recordings: with their codes and presenters, their
 * memory, and the sessions of their clients, who may come back. A lab of which anything is wrong is there under its
 * name as `damaged`: never an empty one.
 */
import { basename, join } from 'node:path';
import {
  type Checkpoint,
  checkpointPath,
  olderCheckpointPath,
  readCheckpoint,
} from '../journal/checkpoint-file.ts';
import type { Durability } from '../journal/durability.ts';
import { continuedRecorder, type FileRecorder, type Keep } from '../journal/file-recorder.ts';
import type { JournalHeader } from '../journal/journal-format.ts';
import { type KeptLab, keptLabs, readLabFile } from '../journal/lab-file.ts';
import {
  JournalError,
  type JournalLine,
  journalLines,
  journalLinesBehind,
} from '../journal/read-journal.ts';
import type { Lab } from '../live/lab.ts';
import type { LabInit } from '../live/lab-init.ts';
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
  readonly keep: Keep;
  readonly newLink: (lab: Lab) => NewRestoredLink;
  /** The lab goes on in this recording. */
  readonly goesOn: (lab: Lab, stay: Stay, recorder: FileRecorder) => void;
  readonly onRestored: (lab: string, state: 'as it was' | 'damaged', why: string) => void;
  /** A checkpoint is of no use; the lab is led from the beginning of its recording. */
  readonly onUnusable: (lab: string, why: string) => void;
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
  let standing = lab;
  const anew = (): Lab | 'too-many' => {
    options.labs.forget(standing);
    const { generation = 0 } = usableHeader(path, kept.name, options.model);
    const { config } = standing;
    return options.labs.restoring(kept.name, config, kept.stay, beginningOf(kept, generation));
  };
  // The shortest way first.
  for (const file of [checkpointPath(path), olderCheckpointPath(path), 'none']) {
    const from = file === 'none' ? 'beginning' : checkpointIn(options, found, file);
    if (from === 'none') continue;
    const led = await lead(options, found, standing, from, 'none');
    if (led === 'over') return;
    const again = anew();
    if (again === 'too-many') return;
    standing = again;
    if (led === 'unusable') continue;
    // The machine has thrown within an entry whose client never had an answer: as if the frame had not come.
    if ((await lead(options, found, standing, from, led)) !== 'unusable') return;
    const once = anew();
    if (once === 'too-many') return;
    standing = once;
  }
}

function checkpointIn(
  { model, onUnusable }: RestoreOptions,
  { kept: { name }, path }: Found,
  file: string,
): Checkpoint | 'none' {
  const read = readCheckpoint(file, path, name, model);
  if (typeof read === 'string' || !('unusable' in read)) return read;
  onUnusable(name, `${basename(file)}: ${read.unusable}`);
  return 'none';
}

/**
 * Returns: 'over' if the lab is where it was, or damaged, or the server ends; 'unusable' if the checkpoint leads to
 * something else than what was recorded; the entry that the machine threw at, if it is the last and was never settled.
 */
async function lead(
  options: RestoreOptions,
  { kept, path }: Found,
  lab: Lab,
  from: Checkpoint | 'beginning',
  cut: Poison | 'none',
): Promise<Poison | 'over' | 'unusable'> {
  const replay = lab.restoring(options.newLink(lab));
  let at: Place | 'none' = 'none';
  let slice = performance.now();
  try {
    if (from !== 'beginning') {
      replay.beginAt(from);
      at = from.position;
    }
    const lines =
      from === 'beginning' ? journalLines(path) : journalLinesBehind(path, from.position);
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
      if (options.stopped()) return 'over';
      slice = performance.now();
    }
    goOn(options, { lab, kept, path }, at, replay, from);
    if (cut !== 'none' && cut.actor !== 'none') lab.actors.get(cut.actor)?.link.close('internal');
    options.onRestored(lab.name, 'as it was', cut === 'none' ? '' : `without line ${cut.line}`);
  } catch (error) {
    lab.damaged(messageOf(error));
    if (from !== 'beginning') {
      options.onUnusable(lab.name, messageOf(error));
      return 'unusable';
    }
    options.onRestored(lab.name, 'damaged', messageOf(error));
  }
  return 'over';
}

/** Where in the recording a line ends. */
type Place = Pick<JournalLine, 'line' | 'bytes' | 'sum'>;

function goOn(
  options: RestoreOptions,
  { lab, kept, path }: Found,
  at: Place | 'none',
  { n, digest }: ReturnType<Lab['restoring']>,
  from: Checkpoint | 'beginning',
): void {
  const where = at === 'none' ? { line: 0, bytes: 0, sum: 'none' as const } : at;
  if (where.sum === 'none') throw new JournalError(path, 1, 'expected lines with sums');
  const { line, bytes, sum } = where;
  const soFar = { n, digest, line, bytes, sum };
  const checkpointed = from === 'beginning' ? undefined : from.position;
  const recorder = continuedRecorder(path, soFar, options, checkpointed);
  options.goesOn(lab, kept.stay, recorder);
  lab.restored(recorder);
}

function beginningOf(kept: KeptLab | 'unreadable', generation: number): LabInit {
  const begins = 'restored';
  if (kept === 'unreadable') {
    const scene = { scenario: 'none', setup: [], seats: [], todo: [] };
    return { scene, begins, generation, joinCode: 'new', presenterToken: 'new' };
  }
  const { scenario, setup, seats, todo, joinCode, presenterToken } = kept;
  const sheet = {
    ...(kept.sheet === undefined ? {} : { sheet: kept.sheet }),
    ...(kept.page === undefined ? {} : { page: kept.page }),
  };
  const times = {
    ...(kept.leaseMs === undefined ? {} : { leaseMs: kept.leaseMs }),
    ...(kept.graceMs === undefined ? {} : { graceMs: kept.graceMs }),
  };
  const scene = { scenario, setup, seats, todo, ...sheet, ...times };
  return { scene, begins, generation, joinCode, presenterToken };
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
