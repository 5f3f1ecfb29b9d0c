/** POST /api/labs/{lab}/control: the hand of the presenter. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { strict } from '../abi/scalars.ts';
import type { Performed } from '../live/conductor.ts';
import type { Lab } from '../live/lab.ts';
import type { Labs } from '../live/labs.ts';
import type { Performance } from '../live/performances.ts';
import { CPU_REQUESTS } from '../protocol/cpu-requests.ts';
import { DEVICE_REQUESTS } from '../protocol/device-requests.ts';
import {
  Control,
  ControlAnswer,
  CueAnswer,
  NewCue,
  NewVote,
  PerformanceAnswer,
  type PerformanceEntry,
  VoteAnswer,
} from '../protocol/http-api.ts';
import { PERFORMANCES_KEPT_MAX } from '../protocol/limits.ts';
import { shows } from '../report/shows.ts';
import { suggestion } from '../vocabulary/nearest-word.ts';
import { bearerOf } from './error-answers.ts';
import { HttpFailure } from './http-failure.ts';
import { type JoinBy, labDetail } from './lab-view.ts';
import { checkPatch, type LabParams, LabPath, labNamed, openLabNamed } from './labs.ts';
import { route } from './route.ts';

/** Steps that are taken until something is to be seen, at most. */
const STEPS_UNSEEN_MAX = 10_000;
/** Milliseconds that an answer waits for what a client makes of it. A verb may take longer; it goes on. */
const CLIENT_ANSWER_MS = 2_000;

/** What an action came to, beside the new state of the lab. */
interface Done {
  readonly performed?: unknown;
  readonly performanceId?: string;
}

export function addControlRoute(app: FastifyInstance, labs: Labs, joinBy: JoinBy): void {
  app.post<LabParams & { readonly Body: Control }>(
    '/api/labs/:lab/control',
    route({
      summary: 'Pauses, steps, slows down, holds, cuts, locks, or begins anew.',
      description:
        'Needs `authorization: Bearer PRESENTER_TOKEN` while the lab is locked; lock and unlock need it always. ' +
        'While a lab is paused or slowed, time stands still in it for everybody who waits for a step.',
      tags: ['labs'],
      params: LabPath,
      body: Control,
      answers: { 200: ControlAnswer },
    }),
    async (request) => {
      const lab = openLabNamed(labs, request.params.lab);
      const { body } = request;
      checkRight(lab, body, bearerOf(request));
      const actor = 'actor' in body ? { actor: body.actor } : {};
      request.log.info({ lab: lab.name, ...actor, action: body.action }, 'a lab is controlled');
      const done = await act(lab, body);
      lab.controlChanged();
      await lab.turn();
      return { ...labDetail(lab, joinBy), ...done };
    },
  );
}

export function addVoteRoute(app: FastifyInstance, labs: Labs): void {
  app.post<LabParams & { readonly Body: NewVote }>(
    '/api/labs/:lab/votes',
    route({
      summary: 'Says what an actor of the lab thinks of what the room is asked.',
      description: 'The last voice of an actor in a round counts. Observers are told the counts.',
      tags: ['labs'],
      params: LabPath,
      body: NewVote,
      answers: { 200: VoteAnswer },
    }),
    ({ params, body: { actor, round, choice } }) => {
      const lab = openLabNamed(labs, params.lab);
      if (!lab.actors.has(actor)) throw noActor(actor);
      if (lab.ballot.say(actor, round, choice) === 'late') throw new HttpFailure('vote-over', '');
      lab.controlChanged();
      const vote = lab.ballot.seen();
      return { vote: vote === 'none' ? null : vote };
    },
  );
}

export function addCueRoute(app: FastifyInstance, labs: Labs): void {
  app.post<LabParams & { readonly Body: NewCue }>(
    '/api/labs/:lab/cues',
    route({
      summary: 'The player of a role plays its cue, in a lab that is led.',
      description: 'Only the cue that is next can be played, and each role by one actor alone.',
      tags: ['labs'],
      params: LabPath,
      body: NewCue,
      answers: { 200: CueAnswer },
    }),
    ({ params, body }) => {
      const lab = openLabNamed(labs, params.lab);
      playCue(lab, body);
      return { led: lab.controlSeen().led ?? null };
    },
  );
}

export function addPerformanceRoute(app: FastifyInstance, labs: Labs): void {
  app.get<{ readonly Params: { readonly lab: string; readonly id: string } }>(
    '/api/labs/:lab/performances/:id',
    route({
      summary: 'A verb that an actor was asked to perform, and what came of it.',
      description:
        `The newest ${PERFORMANCES_KEPT_MAX} of a lab are kept. ` +
        '`id` is `performanceId` of the answer to a perform.',
      tags: ['labs'],
      params: strict({ ...LabPath.properties, id: Type.String({ minLength: 1, maxLength: 32 }) }),
      answers: { 200: PerformanceAnswer },
    }),
    ({ params: { lab, id } }) => {
      const found = labNamed(labs, lab).performances.get(id);
      if (found === 'unknown') throw new HttpFailure('no-such-performance', `id: ${id}`);
      return { entry: entryOf(found) };
    },
  );
}

function entryOf({ id, actor, verb, outcome }: Performance): PerformanceEntry {
  const asked = { id, actor, verb };
  if (outcome === 'running') return { ...asked, state: 'running' };
  if (!outcome.ok) return { ...asked, state: 'failed', failure: outcome.why };
  return { ...asked, state: 'done', result: outcome.result as Record<string, unknown> };
}

/** Throws: HttpFailure. */
function checkRight(lab: Lab, { action }: Control, token: string): void {
  const right =
    action === 'lock' || action === 'unlock'
      ? lab.presenter.is(token)
      : lab.presenter.mayControl(token);
  if (!right) throw new HttpFailure('presenter-only', `lab: ${lab.name}, action: ${action}`);
}

/** Throws: HttpFailure. */
async function act(lab: Lab, control: Control): Promise<Done> {
  switch (control.action) {
    case 'pause':
      lab.drive.pause();
      return {};
    case 'resume':
      if (lab.director !== 'none') lab.director.lose('The presenter has let everybody go.');
      lab.drive.resume();
      return {};
    case 'speed':
      lab.drive.setSpeed(control.stepsPerSecond);
      return {};
    case 'step':
      step(lab, control.task ?? 'next', control.until ?? 'one step');
      return {};
    case 'lock':
      lab.presenter.lock();
      return {};
    case 'unlock':
      lab.presenter.unlock();
      return {};
    case 'patch': {
      const patch = checkPatch(control.patch, 'body.patch');
      const kernel = control.kernel === undefined ? {} : { kernel: control.kernel };
      await inTime(lab.renew({ ...lab.config, ...kernel, patch }));
      return {};
    }
    case 'restart':
      await inTime(lab.renew(lab.config));
      return {};
    case 'undo':
      await undo(lab, control.before ?? Number.POSITIVE_INFINITY);
      return {};
    case 'cast':
      if (!lab.actors.has(control.actor)) throw noActor(control.actor);
      lab.cast.set(control.role, control.actor);
      return {};
    case 'ask':
      lab.ballot.ask(control.about, control.choices);
      return {};
    case 'cue':
      playCue(lab, control);
      return {};
    case 'rename':
      if (!lab.actors.has(control.actor)) throw noActor(control.actor);
      lab.rename(control.actor, control.label.trim());
      return {};
    case 'show':
      lab.shows = control.what;
      return {};
    case 'slow':
      if (lab.slow(control.actor, control.ms) === 'gone') throw noActor(control.actor);
      return {};
    case 'cut':
      if (lab.cut(control.actor) === 'gone') throw noActor(control.actor);
      return {};
    case 'hold':
      checkHoldable(lab, control.actor, control.after);
      return await asked(lab, control.actor, () => lab.hold(control.actor, control.after));
    case 'go':
      return await asked(lab, control.actor, () => lab.go(control.actor));
    case 'dismiss':
      if (lab.dismiss(control.actor) === 'gone') throw noActor(control.actor);
      return {};
    case 'free': {
      const freed = lab.free(control.actor);
      if (freed === 'gone') throw noActor(control.actor);
      if (freed === 'here') throw new HttpFailure('not-away', `body.actor: ${control.actor}`);
      return {};
    }
    case 'perform': {
      const { actor, verb } = control;
      if (!lab.actors.has(actor)) throw noActor(actor);
      const outcome = lab.perform(actor, verb);
      const { id: performanceId } = lab.performances.begin(actor, verb, outcome);
      return { ...(await asked(lab, actor, () => outcome)), performanceId };
    }
  }
}

/** Throws: HttpFailure. */
function playCue(lab: Lab, { cue, actor }: NewCue): void {
  if (!lab.actors.has(actor)) throw noActor(actor);
  if (lab.director === 'none') throw new HttpFailure('no-such-cue', 'the lab is not led');
  const begun = lab.director.play(cue, actor);
  if (begun !== 'begun') throw new HttpFailure('no-such-cue', begun.not);
}

/** Throws: HttpFailure. */
async function undo(lab: Lab, before: number): Promise<void> {
  const { known, all } = lab.askMoments();
  await inTime(all);
  const went = await inTime(lab.goBack(before, known));
  if (went === 'nothing') throw new HttpFailure('nothing-to-undo', `lab: ${lab.name}`);
  if (typeof went === 'object') throw new HttpFailure('too-far-back', went.tooFar);
}

function step(lab: Lab, task: number | 'next', until: 'one step' | 'it shows'): void {
  const { n } = lab.feed;
  const done = lab.drive.step(task);
  if (done === 'running') throw new HttpFailure('not-paused', `lab: ${lab.name}`);
  if (done === 'not ready') throw new HttpFailure('no-such-task', `body.task: ${task}`);
  if (until === 'it shows') stepOn(lab, task, n);
}

/** Goes on until something is to be seen, or the task does not go on by itself. */
function stepOn(lab: Lab, task: number | 'next', n: number): void {
  let from = n;
  for (let steps = 0; steps < STEPS_UNSEEN_MAX; steps += 1) {
    const fresh = lab.eventsAfter(from);
    if (fresh === 'too-old' || fresh.some(shows)) return;
    from = lab.feed.n;
    if (lab.drive.step(task) !== 'stepped') return;
  }
}

/** What the client made of it; nothing if it takes longer than CLIENT_ANSWER_MS, as it may in a paused lab. */
async function asked(lab: Lab, actor: string, ask: () => Promise<Performed>): Promise<Done> {
  if (!lab.actors.has(actor)) throw noActor(actor);
  const outcome = await inTime(ask());
  if (outcome === 'late') return {};
  if (!outcome.ok) throw new HttpFailure('actor-failed', outcome.why);
  return { performed: outcome.result };
}

/** A hold behind what is never called would wait for ever, and look like a hold. Throws: HttpFailure. */
function checkHoldable(lab: Lab, actor: string, after: string): void {
  const role = lab.actors.get(actor)?.role;
  if (role === undefined) throw noActor(actor);
  const known = Object.keys(role === 'device' ? DEVICE_REQUESTS : CPU_REQUESTS);
  if (known.includes(after)) return;
  const hint = suggestion(after, known) || `; it calls ${known.join(', ')}`;
  throw new HttpFailure('bad-request', `body.after: a ${role} calls no "${after}"${hint}`);
}

function noActor(actor: string): HttpFailure {
  return new HttpFailure('no-such-actor', `body.actor: ${actor}`);
}

async function inTime<Value>(promise: Promise<Value>): Promise<Value | 'late'> {
  const { promise: late, resolve } = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => resolve('late'), CLIENT_ANSWER_MS);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
