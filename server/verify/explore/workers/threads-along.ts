/**
 * One exhaustive search in several threads. None of them has an event loop while it searches: they leave each other
 * messages, and look for them.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { newStatesLog, SharedStates, type StatesLog } from '../../../explorer/shared-states.ts';
import type { ScenarioPlan } from '../../../scenario/scenario-plan.ts';
import type { Reach } from '../../coverage/reach.ts';
import { withReachOf } from '../../coverage/reach.ts';
import type { Along, AlongCounts, AlongFound, AlongSearch, SearchedWorlds } from '../along.ts';
import { searchAlong } from '../search-along.ts';
import { withoutFunctions } from './plain-data.ts';

/** To a thread that searches along. */
type Call =
  | { readonly kind: 'search'; readonly worlds: SearchedWorlds; readonly memory: AlongMemory }
  | { readonly kind: 'end' };

/** What all threads of one search see. */
interface AlongMemory {
  /** One for each thread. */
  readonly logs: readonly StatesLog[];
  /** Int32: whether the search is over, and then which of the threads have begun. */
  readonly state: SharedArrayBuffer;
  /** Float64: the counts of each thread. */
  readonly counts: SharedArrayBuffer;
}

const OVER = 0;
const FIRST_THREAD = 1;
const [AWAY, BEGUN, TOO_LATE] = [0, 1, 2];
const COUNTS = 3;
const LOOK_EVERY_MS = 1;

/** The side of the thread that is asked. `alive` is called while it waits. */
export class ThreadsAlong implements Along {
  readonly #ports: readonly MessagePort[];
  readonly #alive: () => void;
  /** Those that have searched anything. */
  readonly #tookPart = new Set<MessagePort>();

  constructor(ports: readonly MessagePort[], alive: () => void) {
    this.#ports = ports;
    this.#alive = alive;
  }

  begin(worlds: SearchedWorlds): AlongSearch {
    const threads = this.#ports.length + 1;
    const memory: AlongMemory = {
      logs: Array.from({ length: threads }, newStatesLog),
      state: new SharedArrayBuffer((FIRST_THREAD + threads) * Int32Array.BYTES_PER_ELEMENT),
      counts: new SharedArrayBuffer(threads * COUNTS * Float64Array.BYTES_PER_ELEMENT),
    };
    const state = new Int32Array(memory.state);
    const counts = new Float64Array(memory.counts);
    for (const port of this.#ports)
      port.postMessage({ kind: 'search', worlds, memory } satisfies Call);
    return {
      others: new SharedStates(memory.logs, 0),
      isOver: () => Atomics.load(state, OVER) !== 0,
      counts: () => ({
        executions: sumOf(counts, 0),
        steps: sumOf(counts, 1),
        windowEntered: sumOf(counts, 2),
      }),
      end: () => {
        Atomics.store(state, OVER, 1);
        const begun = this.#ports.filter((_, at) => {
          const before = Atomics.compareExchange(state, FIRST_THREAD + at + 1, AWAY, TOO_LATE);
          return before === BEGUN;
        });
        for (const port of begun) this.#tookPart.add(port);
        return begun.map((port) => awaited(port, this.#alive) as AlongFound);
      },
    };
  }

  end(): readonly Reach[] {
    for (const port of this.#ports) port.postMessage({ kind: 'end' } satisfies Call);
    return [...this.#tookPart].map((port) => awaited(port, this.#alive) as Reach);
  }
}

function sumOf(counts: Float64Array, which: number): number {
  let sum = 0;
  for (let at = which; at < counts.length; at += COUNTS) sum += counts[at] ?? 0;
  return sum;
}

export interface AlongThread {
  readonly port: MessagePort;
  /** From 1: the thread that is asked is 0. */
  readonly number: number;
  readonly preemptionsMax?: number;
  readonly statesBytesMax?: number;
  /** Called while it waits. */
  readonly alive: () => void;
  readonly goOn: () => 'go on' | 'stop';
}

/** The side of a thread that searches along, until it is told to end. */
export function serveAlong(plan: ScenarioPlan, thread: AlongThread): void {
  const { port, alive } = thread;
  let tookPart = false;
  const { reach } = withReachOf(plan, (watched) => {
    for (;;) {
      const call = awaited(port, alive) as Call;
      if (call.kind === 'end') return;
      const found = searched(watched, call, thread);
      if (found === 'too late') continue;
      tookPart = true;
      port.postMessage(withoutFunctions(found));
    }
  });
  if (tookPart) port.postMessage(withoutFunctions(reach));
}

function searched(
  plan: ScenarioPlan,
  { worlds, memory }: Extract<Call, { readonly kind: 'search' }>,
  { number, preemptionsMax, statesBytesMax, goOn }: AlongThread,
): AlongFound | 'too late' {
  const state = new Int32Array(memory.state);
  if (Atomics.compareExchange(state, FIRST_THREAD + number, AWAY, BEGUN) !== AWAY)
    return 'too late';
  const counts = new Float64Array(
    memory.counts,
    number * COUNTS * Float64Array.BYTES_PER_ELEMENT,
    COUNTS,
  );
  const found = searchAlong(plan, worlds, {
    others: new SharedStates(memory.logs, number),
    ...(preemptionsMax === undefined ? {} : { preemptionsMax }),
    ...(statesBytesMax === undefined ? {} : { statesBytesMax }),
    goOn: ({ executions, steps, windowEntered }: AlongCounts) => {
      counts.set([executions, steps, windowEntered]);
      return Atomics.load(state, OVER) === 0 ? goOn() : 'stop';
    },
  });
  // It has come to its end, or its worlds are not the right ones, or all is to stop.
  Atomics.store(state, OVER, 1);
  return found;
}

const PAUSE = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

function awaited(port: MessagePort, alive: () => void): unknown {
  for (;;) {
    const received = receiveMessageOnPort(port);
    if (received !== undefined) return received.message;
    alive();
    Atomics.wait(PAUSE, 0, 0, LOOK_EVERY_MS);
  }
}
