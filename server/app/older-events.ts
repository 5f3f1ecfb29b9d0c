/** The thread that reads older events from recordings: one for the server, which ends when no client asks. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Piscina } from 'piscina';
import type { History } from '../http/lab-history.ts';
import type { JournalHeader } from '../journal/journal-format.ts';
import type { EventsRead } from '../live/older-events.ts';
import { HISTORIES_WAITING_MAX, RECORDING_EVENTS_MAX } from '../protocol/http-api.ts';
import type { EventsTask } from './older-events-worker.ts';
import type { Recordings } from './recordings.ts';

const IDLE_MS = 10_000;
const THREAD_MEGABYTES_MAX = 512;

type Pool = Piscina<EventsTask, EventsRead>;

export interface OlderEvents extends History {
  close(): Promise<void>;
}

export function newOlderEvents(
  recordings: Recordings | 'none',
  model: JournalHeader['model'],
): OlderEvents {
  let pool: Promise<Pool> | 'none' = 'none';
  const run = async (asked: EventsTask['asked'], signal: AbortSignal) => {
    if (pool === 'none') pool = newPool();
    const reader = await pool;
    if (reader.queueSize >= HISTORIES_WAITING_MAX) return 'too-many';
    return reader.run({ asked, model }, { name: 'readOlderEvents', signal });
  };
  return {
    async read(lab, { from, count }, signal) {
      const recorder = recordings === 'none' ? 'none' : recordings.recorderOf(lab);
      if (recorder === 'none') return 'not-recorded';
      return run({ recording: recorder.path, lab: lab.name, from, count }, signal);
    },
    async readText(text, signal) {
      const folder = mkdtempSync(join(tmpdir(), 'mmrace-recording-'));
      try {
        const recording = join(folder, 'lab.jsonl');
        writeFileSync(recording, text);
        return await run({ recording, lab: '', from: 1, count: RECORDING_EVENTS_MAX }, signal);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    async close() {
      if (pool !== 'none') await (await pool).destroy();
    },
  };
}

async function newPool(): Promise<Pool> {
  const { Piscina } = await import('piscina');
  return new Piscina({
    filename: import.meta.url.replace(/older-events(\.[jt]s)$/, 'older-events-worker$1'),
    minThreads: 0,
    maxThreads: 1,
    maxQueue: HISTORIES_WAITING_MAX,
    idleTimeout: IDLE_MS,
    resourceLimits: { maxOldGenerationSizeMb: THREAD_MEGABYTES_MAX },
  });
}
