/**
 * Opens the labs again that an earlier server kept in its folder of recordings: with their codes and presenters, and
 * their memory as it was. Clients are gone with that server: what they held is given back, as when they leave.
 */

import type { JournalHeader } from '../journal/journal-format.ts';
import { type KeptLab, readLabFiles } from '../journal/lab-file.ts';
import { latestJournal } from '../journal/latest-journal.ts';
import { type Journal, JournalError } from '../journal/read-journal.ts';
import type { LabBeginning } from '../live/lab-beginning.ts';
import type { Labs } from '../live/labs.ts';
import type { MachineConfig } from '../machine/machine-config.ts';
import type { ActorName, Inbound } from '../machine/remote/inbound.ts';

export interface RestoreOptions {
  readonly directory: string;
  readonly labs: Labs;
  /** The model that runs here. */
  readonly model: JournalHeader['model'];
  /** `state`: whether its memory is as it was, or why not. */
  readonly onRestored: (lab: string, state: 'as it was' | 'as it began', why: string) => void;
}

/** Throws: JournalError for a file of a lab that is none; what the file system throws. */
export function restoreLabs(options: RestoreOptions): void {
  for (const kept of readLabFiles(options.directory)) restoreLab(options, kept);
}

function restoreLab({ directory, labs, model, onRestored }: RestoreOptions, kept: KeptLab): void {
  const { name, stay, joinCode, presenterToken, scenario, setup, seats, todo } = kept;
  const journal = usableJournal(directory, name, model);
  const beginning: LabBeginning = {
    scene: { scenario, setup, seats, todo },
    past: typeof journal === 'string' ? 'none' : pastOf(journal),
    joinCode,
    presenterToken,
  };
  const config: MachineConfig = typeof journal === 'string' ? kept.config : journal.header.config;
  labs.open(name, config, stay, beginning);
  if (typeof journal === 'string') onRestored(name, 'as it began', journal);
  else onRestored(name, 'as it was', '');
}

/** A recording that can be executed here, or why there is none. */
function usableJournal(
  directory: string,
  lab: string,
  model: JournalHeader['model'],
): Journal | string {
  try {
    const journal = latestJournal(directory, lab);
    if (journal === 'none') return 'there is no recording of it';
    if (journal.header.model.hash === model.hash) return journal;
    return 'its recording is of another model';
  } catch (error) {
    if (error instanceof JournalError) return error.message;
    throw error;
  }
}

/** All that the machine took, then nobody is there any more and it runs. */
function pastOf({ entries }: Journal): Inbound[] {
  const past = entries.map(({ inbound }) => inbound);
  const present = new Set<ActorName>();
  for (const inbound of past) {
    if (inbound.kind === 'attach') present.add(inbound.actor);
    else if (inbound.kind === 'detach') present.delete(inbound.actor);
  }
  const leaving = [...present].map((actor): Inbound => ({ kind: 'detach', actor }));
  return [...past, { kind: 'resume' }, ...leaving];
}
