/** Accepts a hello: a fresh session, or one that is resumed. */
import type { Lab } from '../live/lab.ts';
import { newBeginning } from '../live/lab-beginning.ts';
import type { Labs } from '../live/labs.ts';
import { isStorageFailure } from '../live/storage-failure.ts';
import type { HelloParams, HelloResult } from '../protocol/hello.ts';
import { looksLikeJoinCode } from '../protocol/join-code.ts';
import type { LabSnapshot } from '../protocol/lab-snapshot.ts';
import { LABS_MAX, LABS_PER_ADDRESS_MAX } from '../protocol/limits.ts';
import { type Refusal, refuse } from '../protocol/refusal.ts';
import { ClientSession, type SessionShared } from './client-session.ts';
import { answerText } from './encode.ts';
import type { Frame } from './outbox.ts';

export interface GreetingOptions {
  readonly labs: Labs;
  /** 'on-demand': a hello to an unknown lab opens it, with the stock kernel. */
  readonly unknownLabs: 'on-demand' | 'refused';
  /** 'code': the name of a lab does not let a client in. 'name' unless said. */
  readonly joinBy?: 'name' | 'code';
  /** Whether new sessions are put off for now. */
  readonly underPressure?: () => boolean;
  readonly graceMs: number;
  readonly heartbeatMs: number;
  readonly model: HelloResult['model'];
}

/** A session, and what its connection is sent first. */
export interface Welcome {
  readonly session: ClientSession;
  readonly frames: readonly Frame[];
}

/** Sessions of actors, by lab and name. */
export type Sessions = Map<string, ClientSession>;

export function sessionKey(lab: string, name: string): string {
  return `${lab}/${name}`;
}

/** Returns why not, if not; then nothing has changed. */
export function welcome(
  options: GreetingOptions,
  sessions: Sessions,
  hello: {
    readonly id: number;
    readonly seq: number;
    readonly params: HelloParams;
    /** Of the client. */
    readonly address: string;
  },
  shared: SessionShared,
): Welcome | Refusal {
  const { params } = hello;
  if (params.resume !== undefined && params.role !== 'observer') {
    return resume(options, sessions, hello, params.resume);
  }
  if (options.underPressure?.() === true) return refuse('under-pressure', '', '');
  const lab = labOf(options, params.lab, hello.address);
  if ('code' in lab) return lab;
  const session = new ClientSession(lab, params.name, params.role, shared);
  session.received = hello.seq;
  // The answer is the first frame, whatever the machine says while it attaches the actor.
  const seq = session.outbox.next();
  let snapshot: LabSnapshot | 'none' = 'none';
  if (params.role === 'observer') {
    // A lab that is being restored has no state yet; one that is damaged has one to look at.
    const notOpen = lab.standing.state === 'restoring' ? lab.notOpen() : 'none';
    if (notOpen !== 'none') return notOpen;
    snapshot = lab.observe(session);
  } else {
    session.outbox.keep('');
    const note = { seq: session.received, key: session.key };
    const actor = lab.attach(params.name, params.role, session, note);
    if ('code' in actor) return actor;
    session.actAs(actor);
    sessions.set(sessionKey(lab.name, params.name), session);
  }
  const result: HelloResult = {
    ...resultFor(options, session, 'fresh', 'attached'),
    ...(snapshot === 'none' ? {} : { snapshot }),
  };
  const rest = session.role === 'observer' ? [] : session.outbox.after(seq);
  return { session, frames: [helloText(seq, hello.id, result), ...orNone(rest)] };
}

/** Right after the check that all are kept, or after the first frames of all, none can be missing. */
function orNone(frames: readonly Frame[] | 'too-old'): readonly Frame[] {
  return frames === 'too-old' ? [] : frames;
}

function resume(
  options: GreetingOptions,
  sessions: Sessions,
  hello: { readonly id: number; readonly params: HelloParams },
  { token, epoch, since }: NonNullable<HelloParams['resume']>,
): Welcome | Refusal {
  const { name, role } = hello.params;
  const lab = options.labs.find(hello.params.lab);
  const notOpen = lab === 'none' ? 'none' : lab.notOpen();
  if (notOpen !== 'none') return notOpen;
  const session = lab === 'none' ? undefined : sessions.get(sessionKey(lab.name, name));
  if (session === undefined || session.role !== role || !session.opensWith(token, epoch)) {
    return refuse('bad-resume', 'params.resume', 'the token and epoch of a session of this name');
  }
  if (session.outbox.after(since) === 'too-old') {
    const kept = session.outbox.last - session.outbox.keptFrames;
    const bound = `a whole number from ${kept} to ${session.outbox.last}`;
    // Whoever has the token may know, but the session is of no more use to anybody.
    session.close('expired');
    return refuse('resume-too-old', 'params.resume.since', bound);
  }
  superseded(session);
  session.newKey();
  session.advance({ event: 'resumed' });
  const state =
    session.actor === 'none' ? 'attached' : session.lab.back(session.actor, session.key);
  const result = resultFor(options, session, 'resumed', state);
  const lacking = orNone(session.outbox.after(since));
  return { session, frames: [helloText(session.outbox.last, hello.id, result), ...lacking] };
}

function superseded(session: ClientSession): void {
  const old = session.connection;
  session.connection = 'none';
  if (old !== 'none') old.close('superseded', old.pingedAt);
}

function resultFor(
  options: GreetingOptions,
  session: ClientSession,
  kind: HelloResult['session'],
  state: HelloResult['state'],
): HelloResult {
  return {
    lab: session.lab.name,
    actor: session.name,
    epoch: session.epoch,
    resumeToken: session.resumeToken,
    session: kind,
    received: session.received,
    state,
    leaseMs: options.labs.leaseMs,
    graceMs: options.graceMs,
    heartbeatMs: options.heartbeatMs,
    model: options.model,
  };
}

function helloText(seq: number, id: number, result: HelloResult): string {
  return answerText(seq, id, { ok: true, result });
}

function labOf(options: GreetingOptions, name: string, address: string): Lab | Refusal {
  const byCode = options.joinBy === 'code';
  const known = byCode ? options.labs.withCode(name) : options.labs.find(name);
  if (known !== 'none') return known;
  // A code that was mistyped must not open a lab of its own, where its owner would wait alone.
  if (byCode || options.unknownLabs === 'refused' || looksLikeJoinCode(name)) {
    return refuse('no-such-lab', 'params.lab', 'the name or the join code of a lab that is open');
  }
  return openedLab(options, name, address);
}

function openedLab({ labs }: GreetingOptions, name: string, address: string): Lab | Refusal {
  try {
    if (labs.openedBy(address) >= LABS_PER_ADDRESS_MAX) {
      const bound = `at most ${LABS_PER_ADDRESS_MAX} labs of one address (LABS_PER_ADDRESS_MAX)`;
      return refuse('too-many-labs', 'params.lab', bound);
    }
    const opened = labs.open(name, { patch: 'stock' }, 'passing', newBeginning(), address);
    if (opened !== 'too-many') return opened;
    return refuse('too-many-labs', 'params.lab', `one of the ${LABS_MAX} labs that are open`);
  } catch (thrown) {
    if (!isStorageFailure(thrown)) throw thrown;
    return refuse('insufficient-storage', 'params.lab', 'a lab that is open');
  }
}
