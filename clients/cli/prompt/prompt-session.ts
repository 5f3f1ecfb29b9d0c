/** One person's hand on an agent: takes lines, does what they say, gives answers. Knows no terminal. */

import { assertNever } from '../../../server/vocabulary/invariant.ts';
import type { PlayedAgent } from '../../agents/played-agent.ts';
import type { VerbParams, VerbResult } from '../../sdk/conductor.ts';
import { Unavailable, UsageError } from '../failure.ts';
import { backAt, type LabHand } from '../lab-hand.ts';
import type { PromptClient } from './concern.ts';
import { helpText, verbHelp } from './help-text.ts';
import { type JobEnd, type PromptJob, PromptJobs } from './jobs.ts';
import type { PromptLabView } from './lab-view.ts';
import type { LabWatch } from './lab-watch.ts';
import { cpuPageTable, devicePageTable, log, maps, type ShownTable, who } from './look-around.ts';
import { needsMappings, type ParsedLine, parseLine, valuesOf } from './parse-line.ts';
import { pinged } from './ping-words.ts';
import { failureOf, thrownFailure } from './sentences.ts';
import type { Values } from './values.ts';
import type { AskedVerb, OwnDeed, PromptRole } from './verb.ts';

/** What came of a line. `text` is for a person, `result` for a program. */
export interface PromptAnswer {
  readonly outcome: JobEnd['outcome'] | 'waits' | 'wrong' | 'quit';
  readonly text: string;
  readonly result: VerbResult;
}

export interface SessionParts {
  readonly role: PromptRole;
  readonly agent: PlayedAgent;
  readonly watch: LabWatch;
  /** The name of the lab, and what drives it. */
  readonly lab: string;
  readonly hand: LabHand;
  /** Milliseconds that a line waits for its verb. */
  readonly patienceMs: number | 'for-ever';
  /** A verb that the prompt did not wait for has ended. */
  readonly late: (text: string, ended: JobEnd) => void;
}

export class PromptSession {
  readonly #parts: SessionParts;
  readonly #jobs: PromptJobs;
  #actor: string;
  /** The kernel function behind which a task stands. */
  #standing = 'none';

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#actor = parts.agent.actors()[0] ?? '';
    this.#jobs = new PromptJobs((job, ended) =>
      parts.late(`[${job.number}] ${job.line}: ${ended.text}`, ended),
    );
  }

  /** The actor that it speaks for. */
  get actor(): string {
    const actors = this.#parts.agent.actors();
    if (!actors.includes(this.#actor)) this.#actor = actors[0] ?? '';
    return this.#actor;
  }

  get client(): PromptClient {
    const { role, agent, watch } = this.#parts;
    return { role, actors: agent.actors(), mm: watch.view.mmOf(this.actor) };
  }

  get running(): readonly PromptJob[] {
    return this.#jobs.running;
  }

  /** A task of `actor` stands at a hold. Returns whether an answer will say so. */
  held(after: string): 'announced' | 'not-waiting' {
    this.#standing = after;
    return this.#jobs.held(after);
  }

  /** Does what one line says. Rejects only with bugs of ours. */
  async run(text: string): Promise<PromptAnswer> {
    const line = parseLine(text, this.#parts.role);
    if (line === 'empty') return { outcome: 'done', text: '', result: {} };
    return 'wrong' in line ? wrong(line.wrong) : await this.runParsed(line);
  }

  async runParsed(line: ParsedLine): Promise<PromptAnswer> {
    const { watch } = this.#parts;
    if (needsMappings(line)) await watch.caughtUp();
    const values = valuesOf(line, watch.view.mappings(this.client.mm));
    if ('wrong' in values) return wrong(values.wrong);
    const { verb } = line;
    return verb.does === 'ask'
      ? await this.#ask(line, verb, values)
      : await this.#own(verb.does, values);
  }

  async #ask(line: ParsedLine, verb: AskedVerb, values: Values): Promise<PromptAnswer> {
    const job = this.#jobs.start(line.text, this.#performed(verb, values));
    return await this.#answerOf(job, line.wait === 'background' ? 0 : this.#parts.patienceMs);
  }

  async #answerOf(job: PromptJob, patienceMs: number | 'for-ever'): Promise<PromptAnswer> {
    const waited = await this.#jobs.wait(job, patienceMs);
    switch (waited.why) {
      case 'over':
        return waited.ended;
      case 'held': {
        const text = `[${job.number}] ${job.line}: stands still behind ${waited.after}(); go lets it go on`;
        return { outcome: 'waits', text, result: { heldAfter: waited.after } };
      }
      case 'patience': {
        const text = `[${job.number}] ${job.line}: has to wait; you will be told when it is done`;
        return { outcome: 'waits', text, result: { waits: true } };
      }
      default:
        return assertNever(waited);
    }
  }

  async #performed(verb: AskedVerb, values: Values): Promise<JobEnd> {
    try {
      const result = await this.#perform(verb.params(values));
      const failure = failureOf(verb, result);
      if (failure !== 'none') return { outcome: 'failed', ...failure };
      return { outcome: 'done', text: verb.answer(result, values), result };
    } catch (error) {
      return { outcome: 'failed', ...thrownFailure(error) };
    }
  }

  #perform(params: VerbParams): Promise<VerbResult> {
    return this.#parts.agent.perform(this.actor, params);
  }

  async #own(deed: OwnDeed, values: Values): Promise<PromptAnswer> {
    switch (deed) {
      case 'hold':
        return this.#hold(values.word('FUNCTION'));
      case 'go':
        this.#standing = 'none';
        this.#parts.agent.go(this.actor);
        return done({ text: 'every hold is gone' });
      case 'page-table':
        return this.#parts.role === 'device'
          ? done(devicePageTable(await this.#perform({ verb: 'page-table' })))
          : done(cpuPageTable(await this.#viewNow(), this.client.mm));
      case 'maps':
        return done(maps(await this.#viewNow(), this.client.mm));
      case 'log':
        return done(log(await this.#viewNow(), this.client, values.number('EVENTS')));
      case 'who':
        return done(who(await this.#viewNow(), this.#parts.agent.actors()));
      case 'ping':
        return await this.#answerOf(
          this.#jobs.start('ping', this.#pinged()),
          this.#parts.patienceMs,
        );
      case 'use':
        return this.#use(values.word('ACTOR'));
      case 'wait':
        return await this.#wait();
      case 'undo':
        return await this.#answerOf(
          this.#jobs.start('undo', this.#undone(values)),
          this.#parts.patienceMs,
        );
      case 'help':
        return this.#help(values);
      case 'quit':
        return { outcome: 'quit', text: '', result: {} };
      default:
        return assertNever(deed);
    }
  }

  async #pinged(): Promise<JobEnd> {
    try {
      return { outcome: 'done', ...(await pinged(() => this.#parts.agent.ping(this.actor))) };
    } catch (error) {
      return { outcome: 'failed', ...thrownFailure(error) };
    }
  }

  async #undone(values: Values): Promise<JobEnd> {
    const { lab, hand } = this.#parts;
    const before = values.has('EVENT') ? { before: values.number('EVENT') } : {};
    try {
      const { events } = await hand.control({ action: 'undo', ...before });
      return { outcome: 'done', text: backAt(lab, events), result: { events } };
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof Unavailable)) throw error;
      return { outcome: 'failed', text: error.message, result: { wrong: error.message } };
    }
  }

  async #wait(): Promise<PromptAnswer> {
    if (this.#standing !== 'none') {
      return wrong(`wait: a verb stands still behind ${this.#standing}(): go comes first`);
    }
    const all = Promise.all(this.running.map(({ ended }) => ended));
    const ended = all.then((): JobEnd => ({ outcome: 'done', text: 'all have ended', result: {} }));
    return await this.#answerOf(this.#jobs.start('wait', ended), this.#parts.patienceMs);
  }

  #hold(after: string): PromptAnswer {
    if (this.#parts.agent.hold(this.actor, after) === 'armed') {
      const text = `the next ${after}() of ${this.actor} stands still until go`;
      return done({ text, result: { after } });
    }
    return {
      outcome: 'failed',
      text: 'EAGAIN: too many holds are armed; go takes them back',
      result: { errno: 'EAGAIN' },
    };
  }

  /** The lab as it is behind everything that has been answered. */
  async #viewNow(): Promise<PromptLabView> {
    const { watch } = this.#parts;
    await watch.caughtUp();
    return watch.view;
  }

  #use(name: string): PromptAnswer {
    const actors = this.#parts.agent.actors();
    if (!actors.includes(name)) {
      return wrong(`use: ${name} is no thread of this process; there is ${actors.join(', ')}`);
    }
    this.#actor = name;
    return done({ text: `you speak for ${name} now`, result: { actor: name } });
  }

  #help(values: Values): PromptAnswer {
    const { role } = this.#parts;
    if (!values.has('VERB')) return done({ text: helpText(role) });
    const help = verbHelp(values.word('VERB'), role);
    return typeof help === 'string' ? done({ text: help }) : wrong(help.wrong);
  }
}

function done({ text, result = {} }: ShownTable): PromptAnswer {
  return { outcome: 'done', text, result };
}

function wrong(text: string): PromptAnswer {
  return { outcome: 'wrong', text, result: { wrong: text } };
}
