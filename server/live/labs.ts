/** The labs of this server, by name, and the one clock that drives their leases. */

import { randomInt } from 'node:crypto';
import { DEFAULT_KERNEL } from '../abi/kernel-ids.ts';
import type { MachineConfig } from '../machine/machine-config.ts';
import { canonicalJoinCode, JOIN_CODE_CHARS, JOIN_CODE_LETTERS } from '../protocol/join-code.ts';
import { LABS_MAX } from '../protocol/limits.ts';
import { guarded } from './guarded.ts';
import { Lab, type LabOptions } from './lab.ts';
import type { Millis } from './lab-actor.ts';
import { type LabInit, newLabInit } from './lab-init.ts';

export interface LabsOptions
  extends Omit<LabOptions, 'name' | 'config' | 'joinCode' | 'beginning'> {
  /** Milliseconds of a clock that only moves forwards. */
  readonly clock: () => Millis;
  /** Called for each lab that is opened, and of each that is over before the server is. */
  readonly opened?: (lab: Lab, stay: Stay) => void;
  readonly over?: (lab: Lab) => void;
  /** Called for each lab that ends, also with the server. */
  readonly ended?: (lab: Lab) => void;
  /** Leads a lab that has failed to where it was; without it, kept labs begin anew. Throws as open() does. */
  readonly again?: (failed: Lab) => void;
}

/** 'passing': it is closed when it has been empty for EMPTY_LAB_MS. 'kept': it is opened anew if it fails. */
export type Stay = 'kept' | 'passing';

/** Of a lab for which nothing is asked, or of which nothing is known. */
export const STOCK_MACHINE: MachineConfig = { patch: 'stock', kernel: DEFAULT_KERNEL };

/** How many ticks there are in a lease: it runs out late by at most a part of this size. */
const TICKS_PER_LEASE = 10;
/** Milliseconds after which an empty lab that was opened on demand is closed. */
export const EMPTY_LAB_MS = 60_000;
const TICK_MS_MIN = 5;
const TICK_MS_MAX = 250;

/** Milliseconds between two looks at the clock. */
export function tickMs(leaseMs: Millis): Millis {
  return Math.max(TICK_MS_MIN, Math.min(TICK_MS_MAX, leaseMs / TICKS_PER_LEASE));
}

export class Labs {
  readonly #options: LabsOptions;
  readonly #labs = new Map<string, Lab>();
  /** Of passing labs: when a client was last seen in them. */
  readonly #emptySince = new Map<string, Millis>();
  /** Kept labs that have failed, to be opened anew at the next tick. */
  readonly #failed = new Map<string, Lab>();
  /** The addresses of the clients that have opened them. */
  readonly #openers = new WeakMap<Lab, string>();
  /** Labs that other servers have now. */
  readonly lost = new WeakSet<Lab>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: LabsOptions) {
    this.#options = options;
    // After what has arrived meanwhile is read: a client that has answered must not be judged before it is heard.
    const judge = () => setImmediate(() => this.tick(this.#options.clock()));
    this.#timer = setInterval(judge, tickMs(options.leaseMs));
    this.#timer.unref();
  }

  get leaseMs(): number {
    return this.#options.leaseMs;
  }

  /**
   * Opens a lab, or returns the open one of that name. 'too-many' at LABS_MAX. `by` is the address of a client that
   * has asked for it.
   *
   * Throws: UnknownPatch; what the file system throws at its recording, then nothing has changed.
   */
  open(
    name: string,
    config: MachineConfig,
    stay: Stay,
    beginning: LabInit = newLabInit(),
    by = '',
  ): Lab | 'too-many' {
    const known = this.get(name);
    if (known !== 'none') return known;
    const lab = this.#add(name, config, stay, beginning);
    if (lab !== 'too-many' && lab.state === 'open') {
      if (by !== '') this.#openers.set(lab, by);
      this.#options.opened?.(lab, stay);
    }
    return lab;
  }

  /** How many open labs clients at `address` have opened. */
  openedBy(address: string): number {
    return this.all().filter((lab) => this.#openers.get(lab) === address).length;
  }

  /** The lab of an earlier server, which is to be led to where it was: see Lab.restoring(). Throws: UnknownPatch. */
  restoring(name: string, config: MachineConfig, stay: Stay, beginning: LabInit): Lab | 'too-many' {
    return this.#add(name, config, stay, beginning);
  }

  #add(name: string, config: MachineConfig, stay: Stay, beginning: LabInit): Lab | 'too-many' {
    if (this.#labs.size >= LABS_MAX) return 'too-many';
    const joinCode =
      beginning.joinCode === 'new'
        ? newJoinCode((one) => this.withCode(one) !== 'none')
        : beginning.joinCode;
    const onBug: LabOptions['onBug'] = (failing, bug) => {
      this.#options.onBug(failing, bug);
      this.#over(failing, stay);
    };
    const lab = new Lab({ ...this.#options, onBug, name, joinCode, beginning, config });
    if (lab.state === 'closed') return lab;
    lab.tick(this.#options.clock());
    this.#labs.set(name, lab);
    if (stay === 'passing') this.#emptySince.set(name, this.#options.clock());
    return lab;
  }

  /** A lab has failed. One that failed while it was being opened is not known yet, and not tried again. */
  #over(name: string, stay: Stay): void {
    const lab = this.#labs.get(name);
    this.#labs.delete(name);
    if (lab === undefined || (stay === 'passing' && this.#options.again === undefined)) return;
    this.#failed.set(name, lab);
    // One that is led to where it was waits for the next tick: what failed may fail again at once.
    if (this.#options.again === undefined) setImmediate(() => this.#openFailed());
  }

  #openFailed(): void {
    for (const lab of this.#failed.values()) this.#openAgain(lab);
  }

  /** With its code and its presenter, for a machine that has just begun. */
  #openAgain(failed: Lab): void {
    const { name, joinCode, scene, presenter } = failed;
    const beginning = {
      scene,
      begins: 'new',
      generation: 0,
      joinCode,
      presenterToken: presenter.token,
    } as const;
    guarded(
      () => {
        if (this.#options.again === undefined) this.open(name, failed.config, 'kept', beginning);
        else this.#options.again(failed);
        this.#failed.delete(name);
      },
      // Its recording cannot be opened now: again at the next tick.
      () => undefined,
    );
  }

  get(name: string): Lab | 'none' {
    const lab = this.#labs.get(name);
    return lab === undefined || lab.state === 'closed' ? 'none' : lab;
  }

  /** The lab that has the join code `text`, in upper or lower case. */
  withCode(text: string): Lab | 'none' {
    const code = canonicalJoinCode(text);
    return this.all().find((lab) => lab.joinCode === code) ?? 'none';
  }

  /** By its name, or else by its join code. */
  find(nameOrCode: string): Lab | 'none' {
    const named = this.get(nameOrCode);
    return named === 'none' ? this.withCode(nameOrCode) : named;
  }

  /** Another lab is to stand in its place, led to where it was. */
  forget(lab: Lab): void {
    lab.close('going');
    if (this.#labs.get(lab.name) === lab) this.#labs.delete(lab.name);
  }

  /** Another server has the lab. */
  lose(lab: Lab): void {
    this.lost.add(lab);
    this.#emptySince.delete(lab.name);
    this.forget(lab);
  }

  /** Closes a lab and forgets it. */
  remove(lab: Lab): void {
    lab.close('lab-closed');
    this.#labs.delete(lab.name);
    this.#emptySince.delete(lab.name);
    this.#options.over?.(lab);
    this.#options.ended?.(lab);
  }

  all(): readonly Lab[] {
    return [...this.#labs.values()].filter((lab) => lab.state === 'open');
  }

  tick(now: number): void {
    this.#openFailed();
    for (const lab of this.#labs.values()) {
      guarded(
        () => lab.tick(now),
        (bug) => lab.fail(bug),
      );
    }
    for (const [name, since] of this.#emptySince) {
      const lab = this.get(name);
      if (lab === 'none') this.#emptySince.delete(name);
      else if (lab.actors.size + lab.feed.observers > 0) this.#emptySince.set(name, now);
      else if (lab.standing.state !== 'open') this.#emptySince.set(name, now);
      else if (now - since >= EMPTY_LAB_MS) this.remove(lab);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    for (const lab of this.#labs.values()) {
      lab.close('going');
      this.#options.ended?.(lab);
    }
    this.#labs.clear();
    this.#failed.clear();
  }
}

/** A code that `taken` does not know. With LABS_MAX labs of 24^5 codes the first is free all but always. */
function newJoinCode(taken: (code: string) => boolean): string {
  for (;;) {
    const code = Array.from(
      { length: JOIN_CODE_CHARS },
      () => JOIN_CODE_LETTERS[randomInt(JOIN_CODE_LETTERS.length)],
    ).join('');
    if (!taken(code)) return code;
  }
}
