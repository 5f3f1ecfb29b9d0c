/**
 * What a server keeps of a lab beside its recordings, so that another one can open it again: by which code people
 * join, who presents, and how it began. The presenter's token is a secret, so the file is its owner's alone to read.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { name, strict, word } from '../abi/scalars.ts';
import type { ActorName, ActorRole, Inbound } from '../machine/remote/inbound.ts';
import { LabSeat } from '../protocol/http-api.ts';
import { joinCode } from '../protocol/join-code.ts';
import { compileCheck, whyNot } from '../protocol/validators.ts';
import { StoredInbound } from './journal-format.ts';
import { JournalError, restored } from './read-journal.ts';
import { stored } from './recorder.ts';

const ENDING = '.lab.json';
const OWNER_ONLY = 0o600;
const { taken: _taken, ...seat } = LabSeat.properties;

const LabFile = strict({
  format: Type.Literal('mmrace-lab'),
  version: Type.Literal(1),
  name,
  joinCode,
  presenterToken: Type.String({ minLength: 1, maxLength: 128 }),
  stay: word('kept', 'passing'),
  /** A MachineConfig, of the machine that it began with. */
  config: Type.Object({ patch: Type.String() }),
  scenario: Type.String(),
  setup: Type.Array(StoredInbound),
  seats: Type.Array(strict(seat)),
  todo: Type.Array(Type.String()),
});
type LabFile = Static<typeof LabFile>;

export interface KeptLab extends Omit<LabFile, 'format' | 'version' | 'setup'> {
  /** Requests in it carry no pages. */
  readonly setup: readonly Inbound[];
}

const CHECK = compileCheck(LabFile);

/** Throws what the file system throws. */
export function writeLabFile(directory: string, lab: KeptLab): void {
  const file: LabFile = {
    format: 'mmrace-lab',
    version: 1,
    ...lab,
    setup: lab.setup.map(stored),
  };
  writeFileSync(pathOf(directory, lab.name), `${JSON.stringify(file, null, 2)}\n`, {
    mode: OWNER_ONLY,
  });
}

/** The lab is over: nobody opens it again. */
export function removeLabFile(directory: string, lab: string): void {
  rmSync(pathOf(directory, lab), { force: true });
}

/** Throws: JournalError for a file that is none; what the file system throws. */
export function readLabFiles(directory: string): KeptLab[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith(ENDING))
    .sort()
    .map((file) => readLabFile(join(directory, file)));
}

function readLabFile(path: string): KeptLab {
  const value: unknown = jsonOf(readFileSync(path, 'utf8'));
  if (!CHECK.accepts(value)) {
    const { path: at, bound } = whyNot(CHECK, value, '');
    throw new JournalError(path, 1, `${at}: expected ${bound}`);
  }
  const { format: _format, version: _version, setup, ...rest } = value as LabFile;
  const roles = new Map<ActorName, ActorRole>();
  return { ...rest, setup: setup.map((inbound) => restored(inbound, roles, path, 1)) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return 'no JSON';
  }
}

function pathOf(directory: string, lab: string): string {
  return join(directory, `${lab}${ENDING}`);
}
