/**
 * A checkpoint: where a lab stood behind one line of its recording, so that a later server begins there. It is one line
 * of JSON with its sum. It says nothing that the recording does not: whatever is wrong with it, the recording from its
 * beginning leads to the same.
 */
import { type Static, Type } from 'typebox';
import { strict, word } from '../abi/scalars.ts';
import { MACHINE_STATE_VERSION, type MachineState } from '../machine/checkpoint/machine-state.ts';
import type { BytesText } from '../machine/checkpoint/object-graph.ts';
import { ClientMoment } from '../protocol/client-moment.ts';
import { compileCheck, firstError } from '../protocol/validators.ts';
import { JournalHeader } from './journal-format.ts';
import { ControlLine, SessionState } from './lab-lines.ts';
import { checkedSum, summedLine } from './line-sum.ts';
import type { JournalPosition } from './read-journal.ts';

const FORMAT = 'mmrace-checkpoint';
const VERSION = 1;

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
  /** By the name of the client; those of older versions have none. */
  moments: Type.Optional(Type.Record(Type.String(), ClientMoment)),
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
  extends Pick<Stored, 'lab' | 'model' | 'generation' | 'control' | 'log' | 'state' | 'moments'> {
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

/** As it is kept. */
export function checkpointText(checkpoint: Checkpoint): string {
  const file = {
    format: FORMAT,
    version: VERSION,
    machineVersion: MACHINE_STATE_VERSION,
    ...checkpoint,
  };
  return summedLine(JSON.stringify(file), 0).line;
}

/** What cannot be begun with, and why. */
export interface Unusable {
  readonly unusable: string;
}

/** Of a recording that `model` may go on from; or why it cannot be used. */
export function checkpointOf(
  text: string,
  lab: string,
  model: JournalHeader['model'],
): Checkpoint | Unusable {
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
  return { ...stored, machine: stored.machine as MachineState };
}
