/**
 * A checkpoint: where a lab stood behind one line of its recording, so that a later server begins there. It stands
 * beside the recording under its name, is one line of JSON with its sum, and replaces the one before it in one step. It
 * says nothing that the recording does not: whatever is wrong with it, the recording from its beginning leads to the
 * same.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Static, Type } from 'typebox';
import { strict, word } from '../abi/scalars.ts';
import { MACHINE_STATE_VERSION, type MachineState } from '../machine/checkpoint/machine-state.ts';
import type { BytesText } from '../machine/checkpoint/object-graph.ts';
import { compileCheck, firstError } from '../protocol/validators.ts';
import { JournalHeader } from './journal-format.ts';
import { ControlLine, SessionState } from './lab-lines.ts';
import { checkedSum, summedLine } from './line-sum.ts';
import type { JournalPosition } from './read-journal.ts';
import { segmentsOf, segmentWith } from './segments.ts';

const FORMAT = 'mmrace-checkpoint';
const VERSION = 1;
const OWNER_ONLY = 0o600;
const ENDING = '.checkpoint.json';
const OLDER_ENDING = '.older-checkpoint.json';
/** Longer than `,"sum":"..."}` and a line end. */
const TAIL_BYTES = 24;

const count = Type.Integer({ minimum: 0 });

const CheckpointFile = strict({
  format: Type.Literal(FORMAT),
  version: Type.Literal(VERSION),
  model: JournalHeader.properties.model,
  lab: Type.String(),
  generation: count,
  /** The line of the recording that it stands behind. */
  position: strict({
    line: count,
    bytes: count,
    sum: count,
    n: count,
    roles: Type.Array(Type.Tuple([Type.String(), word('device', 'cpu')])),
  }),
  log: strict({ events: count, digest: Type.String() }),
  /** The short name of the state of the machine: see state-digest.ts. */
  state: Type.String(),
  control: ControlLine.properties.control,
  sessions: Type.Array(SessionState),
  machineVersion: Type.Literal(MACHINE_STATE_VERSION),
  machine: strict({
    devices: Type.Array(Type.String()),
    cpus: Type.Array(Type.String()),
    /** See machine/checkpoint/object-graph.ts. */
    graph: strict({ shapes: Type.Array(Type.Array(Type.String())), nodes: Type.Array(Type.Any()) }),
  }),
});

type Stored = Static<typeof CheckpointFile>;

/** What a lab was, behind a line of its recording. */
export interface Checkpoint
  extends Pick<Stored, 'lab' | 'model' | 'generation' | 'control' | 'log' | 'state'> {
  readonly position: JournalPosition;
  readonly sessions: readonly SessionState[];
  readonly machine: MachineState;
}

const CHECK = compileCheck(CheckpointFile);

export const BASE64: BytesText = {
  textOf: (bytes) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
  bytesOf: (text) => new Uint8Array(Buffer.from(text, 'base64')),
};

/** Of a recording: `demo-2026.jsonl` has `demo-2026.checkpoint.json`. */
export function checkpointPath(journal: string): string {
  return journal.replace(/\.jsonl$/, ENDING);
}

/** The one before, for when the newest is of no use. */
export function olderCheckpointPath(journal: string): string {
  return journal.replace(/\.jsonl$/, OLDER_ENDING);
}

/** The text of a file. */
export function checkpointText(checkpoint: Checkpoint): string {
  const file = {
    format: FORMAT,
    version: VERSION,
    machineVersion: MACHINE_STATE_VERSION,
    ...checkpoint,
  };
  return summedLine(JSON.stringify(file), 0).line;
}

/**
 * Of the two files beside `journal` one at least has what it had or `text`, whenever the process is stopped and the
 * power lost; and the recording is on the disk up to where the checkpoint stands first.
 *
 * Rejects with what the file system throws; then they have what they had.
 */
export async function writeCheckpoint(journal: string, text: string): Promise<void> {
  const path = checkpointPath(journal);
  const folder = dirname(path);
  const unfinished = join(folder, `.new-${path.slice(folder.length + 1)}`);
  try {
    const file = await open(unfinished, 'w', OWNER_ONLY);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    // Those before its last are on the disk: see file-recorder.ts.
    const recording = await open(segmentsOf(journal).at(-1)?.path ?? journal, 'r');
    await recording.datasync().finally(() => recording.close());
    await rename(path, olderCheckpointPath(journal)).catch(unlessMissing);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/**
 * The checkpoint at `path`, of a recording that `model` may go on from: 'none' if there is none, or why it cannot be
 * used. The recording has to have the line that it stands behind.
 */
export function readCheckpoint(
  path: string,
  journal: string,
  lab: string,
  model: JournalHeader['model'],
): Checkpoint | 'none' | { readonly unusable: string } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'none';
    return { unusable: error instanceof Error ? error.message : String(error) };
  }
  const summed = checkedSum(text.trimEnd(), 0);
  if (typeof summed === 'string') return { unusable: 'its sum is wrong' };
  const value: unknown = JSON.parse(summed.json);
  if (!CHECK.accepts(value)) {
    const { path: at, bound } = firstError(CHECK, value, '');
    return { unusable: `${at}: expected ${bound}` };
  }
  const stored = value as Stored;
  if (stored.lab !== lab) return { unusable: `lab: expected ${lab}` };
  if (stored.model.hash !== model.hash) return { unusable: 'another model wrote it' };
  if (sumAt(journal, stored.position.bytes) !== stored.position.sum) {
    return { unusable: 'the recording does not have the line that it stands behind' };
  }
  return { ...stored, machine: stored.machine as MachineState };
}

/** The sum of the line that ends at byte `end`; 'none' if no line does. */
function sumAt(journal: string, end: number): number | 'none' {
  const { path, from } = segmentWith(segmentsOf(journal), end - 1);
  const file = openSync(path, 'r');
  try {
    if (fstatSync(file).size < end - from || end - from < TAIL_BYTES) return 'none';
    const tail = Buffer.alloc(TAIL_BYTES);
    readSync(file, tail, 0, TAIL_BYTES, end - from - TAIL_BYTES);
    const found = /,"sum":"([0-9a-f]{8})"\}\n$/.exec(tail.toString('latin1'));
    return found === null ? 'none' : Number.parseInt(found[1] as string, 16);
  } finally {
    closeSync(file);
  }
}
