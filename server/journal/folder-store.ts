/** A folder of recordings and of labs that are kept: one server at a time writes into it. */
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { checkpointPath, olderCheckpointPath, readCheckpoint } from './checkpoint-file.ts';
import type { Durability } from './durability.ts';
import { continuedRecorder, fileRecorder, type Keep } from './file-recorder.ts';
import { lockFolder } from './folder-lock.ts';
import type { JournalHeader } from './journal-format.ts';
import { readLabFile, removeLabFile, writeLabFile } from './lab-file.ts';
import { journalLines, journalLinesBehind } from './read-journal.ts';
import type { RecordingStore, StoredLab, StoredRecording } from './recording-store.ts';

export interface FolderOptions {
  readonly directory: string;
  readonly model: JournalHeader['model'];
  readonly durability: Durability;
  readonly keep: Keep;
}

/** Throws: FolderTaken; what the file system throws. */
export function folderStore(options: FolderOptions): RecordingStore {
  const { directory } = options;
  mkdirSync(directory, { recursive: true });
  const lock = lockFolder(directory);
  const began = new Date().toISOString().replaceAll(/[:.]/g, '-').replace('Z', '');
  let stamps = 0;
  return {
    begin: (lab, config, generation) => {
      stamps += 1;
      const stamp = `${began}-${process.pid}-${stamps}`;
      return fileRecorder({ ...options, stamp }, lab, config, generation);
    },
    keep: (lab) => writeLabFile(directory, lab),
    lines: async (_lab, path) => journalLines(path),
    remove: (lab) => removeLabFile(directory, lab),
    close: () => lock.release(),
  };
}

/** Throws: JournalError for a file that is not a lab's; what the file system throws. */
export function readStoredLab(options: FolderOptions, lab: string): StoredLab {
  const kept = readLabFile(options.directory, lab);
  return { kept, recording: storedRecording(options, lab, join(options.directory, kept.journal)) };
}

function storedRecording(options: FolderOptions, lab: string, path: string): StoredRecording {
  return {
    path,
    lines: () => journalLines(path),
    linesBehind: (position) => journalLinesBehind(path, position),
    *ways() {
      for (const file of [checkpointPath(path), olderCheckpointPath(path)]) {
        const read = readCheckpoint(file, path, lab, options.model);
        if (read === 'none') continue;
        yield 'unusable' in read ? { ...read, name: basename(file) } : read;
      }
      yield 'beginning';
    },
    goOn: (soFar, checkpointed) => continuedRecorder(path, soFar, options, checkpointed),
  };
}
