/** A device without a process: it answers what it is asked, and takes its time as a test says. */
import type { FromClient, Outbound } from '../machine/remote/inbound.ts';
import type { Wire } from './wire.ts';

export type Answer = Extract<FromClient, { kind: 'answer' }>['outcome'] | 'none';

export interface WireScript {
  /** The answer to a question, in the run with this number, from 1. */
  readonly answer: (method: string, params: { readonly verb?: string }, run: number) => Answer;
  /** What waiting in vain comes to. */
  readonly waiting: 'nothing' | 'busy';
  /** Milliseconds until a frame comes. */
  readonly lateMs: number;
}

export class ScriptedWire implements Wire {
  readonly state = 'connected';
  /** Milliseconds, moved on by waiting alone. */
  now = 0;
  #run = 0;
  #late = 0;
  readonly #script: WireScript;
  readonly #coming: FromClient[] = [];
  #arrived: (inbound: FromClient) => void = () => undefined;

  constructor(script: WireScript) {
    this.#script = script;
  }

  reset(_ms: number, arrived: (inbound: FromClient) => void): Promise<'ready'> {
    this.#run += 1;
    this.#late = 0;
    this.#coming.length = 0;
    this.#arrived = arrived;
    return Promise.resolve('ready');
  }

  deliver(outbound: Outbound): void {
    if (outbound.kind !== 'question') return;
    const { actor, id, method, params } = outbound;
    const outcome = this.#script.answer(method, params as { readonly verb?: string }, this.#run);
    if (outcome !== 'none') this.#coming.push({ kind: 'answer', actor, id, outcome });
  }

  nextFrame(ms: number): Promise<'came' | 'nothing' | 'busy'> {
    const [next] = this.#coming;
    this.now += ms;
    if (next === undefined) return Promise.resolve(this.#script.waiting);
    this.#late += ms;
    if (this.#late < this.#script.lateMs) return Promise.resolve(this.#script.waiting);
    this.#late = 0;
    this.#coming.shift();
    this.#arrived(next);
    return Promise.resolve('came');
  }

  refused(): 'nothing' {
    return 'nothing';
  }
}
