/**
 * What a server keeps of a lab beside its recordings, so that another one can open it again: by which code people
 * join, who presents, how it began, and which recording is the one that counts. The presenter's token is a secret, so
 * the file is its owner's alone to read.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { name, strict, word } from '../abi/scalars.ts';
import type { ActorName, ActorRole, Inbound } from '../machine/remote/inbound.ts';
import { LabSeat } from '../protocol/http-api.ts';
import { joinCode } from '../protocol/join-code.ts';
import { LabSheet } from '../protocol/run-sheet.ts';
import { compileCheck, firstError } from '../protocol/validators.ts';
import { StoredInbound } from './journal-format.ts';
import { JournalError, restored } from './read-journal.ts';
import { stored } from './recorder.ts';
import { syncFolder } from './sync-folder.ts';
import { writeWholeFile } from './whole-file.ts';

const ENDING = '.lab.json';
const OWNER_ONLY = 0o600;
const VERSION = 2;
const { taken: _taken, ...seat } = LabSeat.properties;

const LabFile = strict({
  format: Type.Literal('mmrace-lab'),
  version: Type.Literal(VERSION),
  name,
  joinCode,
  presenterToken: Type.String({ minLength: 1, maxLength: 128 }),
  stay: word('kept', 'passing'),
  scenario: Type.String(),
  setup: Type.Array(StoredInbound),
  seats: Type.Array(strict(seat)),
  todo: Type.Array(Type.String()),
  sheet: Type.Optional(LabSheet),
  page: Type.Optional(Type.Integer({ minimum: 0 })),
  leaseMs: Type.Optional(Type.Integer({ minimum: 1 })),
  graceMs: Type.Optional(Type.Integer({ minimum: 1 })),
  /** The recording of its machine: a file of the same folder. */
  journal: Type.String({ pattern: '^[^/\\\\]+\\.jsonl$' }),
});
type LabFile = Static<typeof LabFile>;

export interface KeptLab extends Omit<LabFile, 'format' | 'version' | 'setup'> {
  /** Requests in it carry no pages. */
  readonly setup: readonly Inbound[];
}

const CHECK = compileCheck(LabFile);

export function keptLabText(lab: KeptLab): string {
  const file: LabFile = {
    format: 'mmrace-lab',
    version: VERSION,
    ...lab,
    setup: lab.setup.map(stored),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Throws what the file system throws; then the file is as it was. */
export function writeLabFile(directory: string, lab: KeptLab): void {
  writeWholeFile(pathOf(directory, lab.name), keptLabText(lab), OWNER_ONLY);
}

/** The lab is over: no server opens it again. */
export function removeLabFile(directory: string, lab: string): void {
  rmSync(pathOf(directory, lab), { force: true });
  syncFolder(directory);
}

/** The names of the labs that a folder keeps, sorted. Throws what the file system throws. */
export function keptLabs(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith(ENDING) && !file.startsWith('.'))
    .map((file) => file.slice(0, -ENDING.length))
    .sort();
}

/** Throws: JournalError for a file that is not a lab's; what the file system throws. */
export function readLabFile(directory: string, lab: string): KeptLab {
  const path = pathOf(directory, lab);
  return keptLabOf(readFileSync(path, 'utf8'), lab, path);
}

/** `path` is where the text was, for messages. Throws: JournalError for what is not the lab `lab`. */
export function keptLabOf(text: string, lab: string, path: string): KeptLab {
  const value = jsonOf(text);
  const version = versionOf(value);
  if (version !== VERSION && version !== 'none') {
    const by = `kept by another mmrace: this one reads version ${VERSION}`;
    throw new JournalError(path, 1, `version: found ${version}: ${by}`);
  }
  if (!CHECK.accepts(value)) {
    const { path: at, bound } = firstError(CHECK, value, '');
    throw new JournalError(path, 1, `${at}: expected ${bound}`);
  }
  const { format: _format, version: _version, setup, ...rest } = value as LabFile;
  if (rest.name !== lab) throw new JournalError(path, 1, `name: expected ${lab}`);
  const roles = new Map<ActorName, ActorRole>();
  return { ...rest, setup: setup.map((inbound) => restored(inbound, roles, path, 1)) };
}

function versionOf(value: unknown): number | 'none' {
  if (typeof value !== 'object' || value === null || !('version' in value)) return 'none';
  return typeof value.version === 'number' ? value.version : 'none';
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
