/** The thread that reads older events from recordings: one for the server, which ends when no client asks. */
import type { Piscina } from 'piscina';
import type { History } from '../http/lab-history.ts';
import type { JournalHeader } from '../journal/journal-format.ts';
import type { EventsRead } from '../live/older-events.ts';
import { HISTORIES_WAITING_MAX } from '../protocol/http-api.ts';
import type { EventsTask } from './older-events-worker.ts';
import type { Recordings } from './recordings.ts';

const IDLE_MS = 10_000;
const THREAD_MEGABYTES_MAX = 512;

type Pool = Piscina<EventsTask, EventsRead>;

export interface OlderEvents extends History {
  close(): Promise<void>;
}

export function newOlderEvents(recordings: Recordings, model: JournalHeader['model']): OlderEvents {
  let pool: Promise<Pool> | 'none' = 'none';
  return {
    async read(lab, { from, count }, signal) {
      const recorder = recordings.recorderOf(lab);
      if (recorder === 'none') return 'not-recorded';
      if (pool === 'none') pool = newPool();
      const reader = await pool;
      if (reader.queueSize >= HISTORIES_WAITING_MAX) return 'too-many';
      const asked = { recording: recorder.path, lab: lab.name, from, count };
      return reader.run({ asked, model }, { name: 'readOlderEvents', signal });
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
