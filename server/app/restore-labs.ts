/**
 * Opens the labs again that an earlier server kept in its folder of recordings: with their codes and presenters, their
 * memory, and the sessions of their clients, who may come back. A lab of which anything is wrong is there under its
 * name as `damaged`: never an empty one.
 */
import type { Checkpoint } from '../journal/checkpoint.ts';
import type { JournalHeader } from '../journal/journal-format.ts';
import type { KeptRecorder } from '../journal/kept-recorder.ts';
import type { KeptLab } from '../journal/lab-file.ts';
import { JournalError, type JournalLine } from '../journal/read-journal.ts';
import type { StoredLab, StoredRecording } from '../journal/recording-store.ts';
import type { Lab } from '../live/lab.ts';
import type { LabInit } from '../live/lab-init.ts';
import type { NewRestoredLink } from '../live/lab-replay.ts';
import { type Labs, STOCK_MACHINE, type Stay } from '../live/labs.ts';
import type { ActorName } from '../machine/remote/inbound.ts';

/** Milliseconds of restoring between two turns of the event loop. */
const SLICE_MS = 20;

export interface RestoreOptions {
  readonly labs: Labs;
  /** The model that runs here. */
  readonly model: JournalHeader['model'];
  readonly newLink: (lab: Lab) => NewRestoredLink;
  /** The lab goes on in this recording. */
  readonly goesOn: (lab: Lab, stay: Stay, recorder: KeptRecorder) => void;
  readonly onRestored: (lab: string, state: 'as it was' | 'damaged', why: string) => void;
  /** A checkpoint is of no use; the lab is led from the beginning of its recording. */
  readonly onUnusable: (lab: string, why: string) => void;
  /** The server ends: what is not restored yet stays as it is. */
  readonly stopped: () => boolean;
}

/** A lab that is there under its name, and has yet to be led to where it was. */
export interface Found extends StoredLab {
  readonly lab: Lab;
}

/** Nothing was ever answered to the frame of `actor` that made the machine throw. */
interface Poison {
  readonly line: number;
  readonly actor: ActorName | 'none';
}

/** The lab is there as `restoring`, or as `damaged`: then none is returned. `read` throws: JournalError, as storage. */
export function findLab(options: RestoreOptions, name: string, read: () => StoredLab): Found[] {
  let kept: KeptLab | 'unreadable' = 'unreadable';
  try {
    const stored = read();
    kept = stored.kept;
    const { config, generation = 0 } = usableHeader(stored.recording, name, options.model);
    const lab = options.labs.restoring(name, config, kept.stay, beginningOf(kept, generation));
    if (lab !== 'too-many') return [{ ...stored, lab }];
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
  const { lab, kept, recording } = found;
  let standing = lab;
  const anew = (): Lab | 'too-many' => {
    options.labs.forget(standing);
    const { generation = 0 } = usableHeader(recording, kept.name, options.model);
    const { config } = standing;
    return options.labs.restoring(kept.name, config, kept.stay, beginningOf(kept, generation));
  };
  // The shortest way first.
  for (const from of recording.ways()) {
    if (from !== 'beginning' && 'unusable' in from) {
      options.onUnusable(kept.name, `${from.name}: ${from.unusable}`);
      continue;
    }
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

/**
 * Returns: 'over' if the lab is where it was, or damaged, or the server ends; 'unusable' if the checkpoint leads to
 * something else than what was recorded; the entry that the machine threw at, if it is the last and was never settled.
 */
async function lead(
  options: RestoreOptions,
  { kept, recording }: Found,
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
    const lines = from === 'beginning' ? recording.lines() : recording.linesBehind(from.position);
    for (const line of lines) {
      if (cut !== 'none' && line.line === cut.line) break;
      if (line.kind !== 'header') {
        try {
          replay.take(line);
        } catch (error) {
          const unsettled = line.kind === 'entry' && lines.next().done === true;
          if (unsettled && cut === 'none') return { line: line.line, actor: actorOf(line) };
          throw differsAt(recording.path, line.line, error);
        }
      }
      at = line;
      if (performance.now() - slice < SLICE_MS) continue;
      await nextTurn();
      if (options.stopped()) return 'over';
      slice = performance.now();
    }
    goOn(options, { lab, kept, recording }, at, replay, from);
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
  { lab, kept, recording }: Found,
  at: Place | 'none',
  { n, digest }: ReturnType<Lab['restoring']>,
  from: Checkpoint | 'beginning',
): void {
  const where = at === 'none' ? { line: 0, bytes: 0, sum: 'none' as const } : at;
  if (where.sum === 'none') throw new JournalError(recording.path, 1, 'expected lines with sums');
  const { line, bytes, sum } = where;
  const soFar = { n, digest, line, bytes, sum };
  const checkpointed = from === 'beginning' ? undefined : from.position;
  const recorder = recording.goOn(soFar, checkpointed);
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
function usableHeader(
  recording: StoredRecording,
  lab: string,
  model: JournalHeader['model'],
): JournalHeader {
  const { path } = recording;
  const [first] = recording.lines().take(1);
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
