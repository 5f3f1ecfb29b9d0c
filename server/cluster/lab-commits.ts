/**
 * What labs write into Redis, in order, many lines in one round trip. What came of a line leaves the server when Redis
 * has the line: see Safety. A lab whose epoch is over writes nothing more, and whatever its machine took since is lost
 * with it: nobody has heard of that.
 */
import type { Safety } from '../journal/durability.ts';
import type { RedisLink } from './redis-link.ts';
import { APPEND, CHECKPOINT, KEEP, OVER, REWRITE, type Script, TRIM } from './scripts.ts';

/** Milliseconds before what failed is tried again. */
const RETRY_MS = 100;
/** Milliseconds without an answer after which labs stand still. */
export const STALL_MS = 500;
const LOOK_MS = 100;

interface Write {
  readonly script: Script;
  /** Behind name and epoch. */
  readonly args: readonly (string | number)[];
  /** 'must': nothing goes on without it. 'may': it is given up if it fails, as a checkpoint is. */
  readonly need: 'must' | 'may';
  readonly done?: (failed: Error | 'no') => void;
}

/** Lines of one recording that are written together. */
interface Lines {
  readonly recording: string;
  readonly begin: number;
  end: number;
  readonly parts: string[];
}

export interface LabCommitsOptions {
  readonly link: RedisLink;
  /** Whether this server may still own what it owns: see membership.ts. */
  readonly leased: () => boolean;
  /** Another server has the lab. Called before anything that waits may leave. */
  readonly onFenced: (lab: string) => void;
  /** Redis does not have what it has acknowledged: the lab cannot go on. */
  readonly onLost: (lab: string) => void;
  readonly onStalled: (why: string) => void;
  readonly onGoesOn: (afterMs: number) => void;
}

export class LabCommits implements Safety {
  readonly mode = 'each';
  readonly #options: LabCommitsOptions;
  /** Labs that this server owns, with their epochs. */
  readonly #epochs = new Map<string, string>();
  /** The last recording of each that was begun, or gone on with. */
  readonly #newest = new Map<string, string>();
  readonly #before = new Set<() => void>();
  #writes = new Map<string, (Write | Lines)[]>();
  #waiting: (() => void)[] = [];
  #state: 'idle' | 'planned' | 'under way' | 'closed' = 'idle';
  /** When it began to wait for what it still waits for. */
  #since = 0;
  #why = '';
  #stall: { readonly since: number } | 'none' = 'none';
  #timer: NodeJS.Timeout | 'none' = 'none';

  constructor(options: LabCommitsOptions) {
    this.#options = options;
  }

  /** The lease is there: from now on what takes long shows. */
  begin(): void {
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** Why labs stand still; 'none' if they go. */
  get stalled(): string | 'none' {
    return this.#stall === 'none' ? 'none' : this.#reason();
  }

  owns(lab: string): boolean {
    return this.#epochs.has(lab);
  }

  epochOf(lab: string): string {
    return this.#epochs.get(lab) ?? '';
  }

  get owned(): readonly string[] {
    return [...this.#epochs.keys()];
  }

  /** From now on the lab is this server's. */
  take(lab: string, epoch: string): void {
    this.#epochs.set(lab, epoch);
  }

  /** Nothing more of it is written. */
  forget(lab: string): void {
    const writes = this.#writes.get(lab) ?? [];
    this.#epochs.delete(lab);
    this.#newest.delete(lab);
    this.#writes.delete(lab);
    for (const write of writes) givenUp(lab, write);
  }

  lines(lab: string, recording: string, begin: number, end: number, text: string): void {
    const writes = this.#writesOf(lab);
    if (writes === 'none' || !this.#counts(lab, recording, begin)) return;
    const last = writes.at(-1);
    if (last !== undefined && 'parts' in last && last.recording === recording) {
      last.parts.push(text);
      last.end = end;
    } else writes.push({ recording, begin, end, parts: [text] });
    this.#plan();
  }

  /** Calls `act` before what was written so far leaves. */
  beforeNext(act: () => void): void {
    this.#before.add(act);
  }

  rewrite(lab: string, recording: string, end: number, text: string): void {
    this.#add(lab, { script: REWRITE, args: [recording, end, text], need: 'must' });
  }

  keep(lab: string, recording: string, code: string, text: string): void {
    this.#add(lab, { script: KEEP, args: [recording, code, text], need: 'must' });
  }

  /** Rejects with what Redis says: then the checkpoints are as they were. */
  checkpoint(lab: string, recording: string, text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (failed: Error | 'no') => (failed === 'no' ? resolve() : reject(failed));
      this.#add(lab, { script: CHECKPOINT, args: [recording, text], need: 'may', done });
    });
  }

  trim(lab: string, recording: string, place: number): void {
    this.#add(lab, { script: TRIM, args: [recording, place], need: 'may' });
  }

  /** The lab is over. */
  over(lab: string): void {
    this.#add(lab, {
      script: OVER,
      args: [],
      need: 'must',
      done: () => this.forget(lab),
    });
  }

  whenSafe(then: () => void): 'now' | 'later' {
    if (this.#isSafe()) return 'now';
    if (this.#waiting.length === 0 && this.#state === 'idle') this.#since = performance.now();
    this.#waiting.push(then);
    return 'later';
  }

  /** Resolves when Redis has everything so far. */
  safe(): Promise<void> {
    return new Promise((resolve) => {
      if (this.whenSafe(resolve) === 'now') resolve();
    });
  }

  /** Redis cannot be waited for in the middle of a turn. */
  syncNow(): 'cannot' {
    return 'cannot';
  }

  /** The lease was renewed: what waited for nothing else may leave. */
  renewed(): void {
    if (this.#state === 'idle') this.#leave();
  }

  /** Resolves when Redis has everything, or `ms` are over. */
  async drain(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (!['idle', 'closed'].includes(this.#state) && performance.now() < end) await pause(10);
  }

  close(): void {
    this.#state = 'closed';
    if (this.#timer !== 'none') clearInterval(this.#timer);
  }

  #isSafe(): boolean {
    return this.#state === 'idle' && this.#waiting.length === 0 && this.#options.leased();
  }

  #writesOf(lab: string): (Write | Lines)[] | 'none' {
    if (!this.#epochs.has(lab)) return 'none';
    const known = this.#writes.get(lab);
    if (known !== undefined) return known;
    const made: (Write | Lines)[] = [];
    this.#writes.set(lab, made);
    return made;
  }

  /** What a machine still says that another has followed is not written: its recording is removed. */
  #counts(lab: string, recording: string, begin: number): boolean {
    const newest = begin === 0 ? recording : (this.#newest.get(lab) ?? recording);
    this.#newest.set(lab, newest);
    return newest === recording;
  }

  #add(lab: string, write: Write): void {
    const writes = this.#writesOf(lab);
    if (writes === 'none') givenUp(lab, write);
    else {
      writes.push(write);
      this.#plan();
    }
  }

  /** After what arrives in this turn of the event loop: it goes together. */
  #plan(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'planned';
    this.#since = performance.now();
    setImmediate(() => {
      if (this.#state === 'planned') this.#work().catch((bug) => this.#gaveUp(bug));
    });
  }

  async #work(): Promise<void> {
    this.#state = 'under way';
    while (this.#writes.size > 0 && !this.#isClosed()) {
      for (const act of this.#before) act();
      this.#before.clear();
      const writes = this.#writes;
      this.#writes = new Map();
      const waiting = this.#waiting;
      this.#waiting = [];
      this.#since = performance.now();
      await Promise.all([...writes].map(([lab, all]) => this.#writeAll(lab, all)));
      this.#waiting = [...waiting, ...this.#waiting];
      if (!this.#isClosed()) this.#leave(waiting.length);
    }
    if (this.#isClosed()) return;
    this.#state = 'idle';
    this.#leave();
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** The first `count` of what waits may leave, if the lease says so. */
  #leave(count = this.#waiting.length): void {
    if (!this.#options.leased()) return;
    for (const then of this.#waiting.splice(0, count)) then();
  }

  /** One behind the other: each is only right behind the one before. */
  async #writeAll(lab: string, writes: readonly (Write | Lines)[]): Promise<void> {
    for (const write of writes) {
      let state: 'done' | 'again' = 'again';
      while (state === 'again' && !this.#isClosed() && this.#epochs.has(lab)) {
        state = await this.#write(lab, 'parts' in write ? linesWrite(write) : write);
        if (state === 'again') await pause(RETRY_MS);
      }
      if (state === 'again') givenUp(lab, write);
    }
  }

  async #write(lab: string, { script, args, need, done }: Write): Promise<'done' | 'again'> {
    const epoch = this.#epochs.get(lab) ?? '';
    let answer: unknown;
    try {
      answer = await this.#options.link.run(script, [lab, epoch, ...args]);
    } catch (error) {
      const failed = error instanceof Error ? error : new Error(String(error));
      if (need === 'must') {
        this.#why = failed.message;
        return 'again';
      }
      done?.(failed);
      return 'done';
    }
    this.#why = '';
    if (answer === 'ok') done?.('no');
    else {
      this.forget(lab);
      if (answer === 'fenced') this.#options.onFenced(lab);
      else this.#options.onLost(lab);
      done?.(new Error(`${lab}: ${answer}`));
    }
    return 'done';
  }

  #look(): void {
    const waits = this.#state === 'under way' || this.#waiting.length > 0;
    const longest = performance.now() - this.#since;
    const stalls = (waits && longest >= STALL_MS) || !this.#options.leased();
    if (stalls && this.#stall === 'none') {
      this.#stall = { since: performance.now() };
      this.#options.onStalled(this.#reason());
    } else if (!stalls && this.#stall !== 'none') {
      const { since } = this.#stall;
      this.#stall = 'none';
      this.#options.onGoesOn(performance.now() - since);
    }
  }

  #reason(): string {
    if (/\bOOM\b/.test(this.#why)) {
      return 'Redis is full: raise its maxmemory, or close labs; nothing is lost meanwhile';
    }
    if (this.#why !== '') return `Redis does not take what is recorded: ${this.#why}`;
    return 'Redis does not answer';
  }

  #gaveUp(bug: unknown): void {
    this.#why = String(bug);
  }
}

function givenUp(lab: string, write: Write | Lines): void {
  if ('done' in write) write.done?.(new Error(`${lab} is not this server's any more`));
}

function linesWrite({ recording, begin, end, parts }: Lines): Write {
  return { script: APPEND, args: [recording, begin, end, parts.join('')], need: 'must' };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
