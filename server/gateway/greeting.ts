/** Accepts a hello: a fresh session, or one that is resumed. */
import type { Elsewhere, Whereabouts } from '../live/elsewhere.ts';
import type { Lab } from '../live/lab.ts';
import { newLabInit } from '../live/lab-init.ts';
import { type Labs, STOCK_MACHINE } from '../live/labs.ts';
import { isStorageFailure } from '../live/storage-failure.ts';
import type { RequestId } from '../protocol/envelope.ts';
import { briefly } from '../protocol/found-value.ts';
import { AUTO_NAME, type HelloParams, type HelloResult } from '../protocol/hello.ts';
import { looksLikeJoinCode } from '../protocol/join-code.ts';
import type { LabSnapshot } from '../protocol/lab-snapshot.ts';
import { LABS_MAX, LABS_PER_ADDRESS_MAX } from '../protocol/limits.ts';
import { type Refusal, refuse } from '../protocol/refusal.ts';
import { webSocketAddress } from '../protocol/server-address.ts';
import { suggestion } from '../vocabulary/nearest-word.ts';
import { ClientSession, type SessionShared } from './client-session.ts';
import { answerText } from './encode.ts';
import type { Frame } from './outbox.ts';

export interface GreetingOptions {
  readonly labs: Labs;
  /** 'on-demand': a hello with `create` opens an unknown lab, with the stock kernel. */
  readonly unknownLabs: 'on-demand' | 'refused';
  /** 'code': the name of a lab does not let a client in. 'name' unless said. */
  readonly joinBy?: 'name' | 'code';
  /** Whether new sessions are put off for now. */
  readonly underPressure?: () => boolean;
  /** Milliseconds of a clock that only moves forwards. */
  readonly clock: () => number;
  readonly graceMs: number;
  readonly heartbeatMs: number;
  readonly model: HelloResult['model'];
  /** Other servers that keep the same labs. None, unless said. */
  readonly elsewhere?: Elsewhere;
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

/** Milliseconds after a lost connection during which a session in the lab can be resumed. */
export function graceIn({ graceMs }: Lab, serverMs: number): number {
  return graceMs === 'as the server' ? serverMs : graceMs;
}

/** Returns why not, if not; then nothing has changed. */
export function welcome(
  options: GreetingOptions,
  sessions: Sessions,
  hello: {
    readonly id: RequestId;
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
  const lab = labOf(options, params, hello.address);
  if ('code' in lab) return lab;
  const { role } = params;
  const name = params.name === AUTO_NAME && role !== 'observer' ? lab.freeName(role) : params.name;
  const session = new ClientSession(lab, name, role, shared);
  session.received = hello.seq;
  // The answer is the first frame, whatever the machine says while it attaches the actor.
  const seq = session.outbox.next();
  let snapshot: LabSnapshot | 'none' = 'none';
  if (role === 'observer') {
    // A lab that is being restored has no state yet; one that is damaged has one to look at.
    const notOpen = lab.standing.state === 'restoring' ? lab.notOpen() : 'none';
    if (notOpen !== 'none') return notOpen;
    snapshot = lab.observe(session);
  } else {
    if (params.takeOver === true) takeOver(options, sessions, lab, name);
    session.outbox.keep('');
    const note = { seq: session.received, key: session.key };
    const actor = lab.attach(name, role, session, note);
    if ('code' in actor) return actor;
    session.actAs(actor);
    sessions.set(sessionKey(lab.name, name), session);
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
  hello: { readonly id: RequestId; readonly params: HelloParams },
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
    // The owner of the token may know, but the session is of no more use.
    session.close('expired');
    return refuse('resume-too-old', 'params.resume.since', bound);
  }
  superseded(session);
  session.newKey(epoch);
  session.advance({ event: 'resumed' });
  const state =
    session.actor === 'none' ? 'attached' : session.lab.back(session.actor, session.key, epoch);
  const result = resultFor(options, session, 'resumed', state);
  const lacking = orNone(session.outbox.after(since));
  return { session, frames: [helloText(session.outbox.last, hello.id, result), ...lacking] };
}

/** Ends the session of that name, if its client has been away for a lease: a live one stays. */
function takeOver({ clock }: GreetingOptions, sessions: Sessions, lab: Lab, name: string): void {
  const old = sessions.get(sessionKey(lab.name, name));
  if (old === undefined || old.life.state !== 'away') return;
  if (lab.timeAt(clock()) - old.life.since >= lab.leaseMs) old.close('expired');
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
    leaseMs: session.lab.leaseMs,
    graceMs: graceIn(session.lab, options.graceMs),
    heartbeatMs: options.heartbeatMs,
    ...(options.elsewhere === undefined ? {} : { others: othersOf(options.elsewhere) }),
    model: options.model,
  };
}

function othersOf(elsewhere: Elsewhere): string[] {
  return elsewhere.addresses().map(webSocketAddress);
}

function helloText(seq: number, id: RequestId, result: HelloResult): string {
  return answerText(seq, id, { ok: true, result });
}

function labOf(options: GreetingOptions, params: HelloParams, address: string): Lab | Refusal {
  const { lab: name } = params;
  const known = knownLab(options, name);
  if (known !== 'none') return known;
  if (opensLab(options, params)) return openedLab(options, name, address);
  return refuse('no-such-lab', 'params.lab', openLab(options, params), { found: briefly(name) });
}

/** The lab that a hello which begins a session names, if it is here. */
export function knownLab({ labs, joinBy }: GreetingOptions, name: string): Lab | 'none' {
  return joinBy === 'code' ? labs.withCode(name) : labs.find(name);
}

/** Whether a hello opens the lab that it names if there is none. */
export function opensLab({ joinBy, unknownLabs }: GreetingOptions, params: HelloParams): boolean {
  const { lab, create = false, role, resume } = params;
  if (!create || role === 'observer' || resume !== undefined) return false;
  // A code that was mistyped must not open a lab of its own, where its owner would wait alone.
  return joinBy !== 'code' && unknownLabs === 'on-demand' && !looksLikeJoinCode(lab);
}

/** Why a hello whose lab is not here is not for this server; 'none' if it is. */
export function elsewhereRefusal(where: Whereabouts): Refusal | 'none' {
  switch (where.state) {
    case 'here':
    case 'unknown':
      return 'none';
    case 'restoring':
      return refuse('restoring', 'params.lab', 'a lab that is restored');
    case 'elsewhere': {
      const address = webSocketAddress(where.address);
      return refuse('moved', 'params.lab', `a lab of this server (it is at ${address})`, {
        address,
      });
    }
    case 'stalled':
      return refuse('stalled', '', '');
  }
}

/** What would be right, in the words of "expected ...". Where codes let in, names are not told. */
function openLab({ labs, unknownLabs, joinBy }: GreetingOptions, params: HelloParams): string {
  if (joinBy === 'code') return 'the join code of a lab that is open';
  const right = 'the name or the join code of a lab that is open';
  if (params.create === true && params.role === 'observer') return `${right}: observers open none`;
  if (params.create === true && unknownLabs === 'refused')
    return `${right}: clients open none here`;
  const names = labs.all().map((lab) => lab.name);
  return `${right}${suggestion(params.lab, names)}`;
}

function openedLab({ labs }: GreetingOptions, name: string, address: string): Lab | Refusal {
  try {
    if (labs.openedBy(address) >= LABS_PER_ADDRESS_MAX) {
      const bound = `at most ${LABS_PER_ADDRESS_MAX} labs of one address (LABS_PER_ADDRESS_MAX)`;
      return refuse('too-many-labs', 'params.lab', bound);
    }
    const opened = labs.open(name, STOCK_MACHINE, 'passing', newLabInit(), address);
    if (opened !== 'too-many') return opened;
    return refuse('too-many-labs', 'params.lab', `one of the ${LABS_MAX} labs that are open`);
  } catch (thrown) {
    if (!isStorageFailure(thrown)) throw thrown;
    return refuse('insufficient-storage', 'params.lab', 'a lab that is open');
  }
}
