/** An agent that is played by hand: joins a lab, hears what happens, and leaves without losing data. */

import { kernelLabel } from '../../../server/report/lines/kernel-label.ts';
import type { AgentOptions, PlayedAgent } from '../../agents/played-agent.ts';
import { SessionClosed } from '../../sdk/connection.ts';
import { endedSentence } from '../ended-session.ts';
import { Unavailable } from '../failure.ts';
import { LabHand } from '../lab-hand.ts';
import { newsOf } from './concern.ts';
import { LabWatch } from './lab-watch.ts';
import type { Notice } from './notices.ts';
import { PromptSession, type SessionParts } from './prompt-session.ts';
import type { PromptRole } from './verb.ts';

/** Milliseconds that a server is waited for that says it has too much to do, or restores its labs. */
const HELLO_AGAIN_MS = 5_000;
/** Milliseconds that private memory has to go back before its device leaves. */
const LEAVE_MS = 2_000;

export interface PromptJoinOptions {
  readonly role: PromptRole;
  readonly url: string;
  /** As a hello calls it. */
  readonly lab: string;
  /** As people call it. */
  readonly labName: string;
  /** 'auto' takes the next free one of the role. */
  readonly name: string;
  readonly create: 'if-unknown' | 'never';
  /** See ConnectionOptions. */
  readonly takeOver?: 'when-lost' | 'never';
  readonly start: (options: AgentOptions) => PlayedAgent;
  readonly patienceMs: SessionParts['patienceMs'];
  readonly notice: (notice: Notice) => void;
}

export interface Joined {
  readonly session: PromptSession;
  /** In the lab. */
  readonly name: string;
  readonly agent: PlayedAgent;
  readonly watch: LabWatch;
  /** Gives private memory back and ends the session. */
  leave(): Promise<void>;
}

/** Rejects: Unavailable if the server cannot be reached or refuses. */
export async function join(options: PromptJoinOptions): Promise<Joined> {
  const { role, url, lab, notice } = options;
  const ears: { session: PromptSession | 'none'; lost: boolean } = {
    session: 'none',
    lost: false,
  };
  const own = (text: string): void => notice({ kind: 'own', text });
  const firstActor = (): string => agent.actors()[0] ?? options.name;
  const agent: PlayedAgent = options.start({
    url,
    lab,
    name: options.name,
    create: options.create,
    takeOver: options.takeOver ?? 'never',
    connectMs: HELLO_AGAIN_MS,
    say: own,
    watch: {
      moved: (actor, state) => {
        if (actor !== firstActor()) return;
        if (state === 'away' && !ears.lost && ears.session !== 'none') {
          ears.lost = true;
          notice({ kind: 'alarm', text: `the connection to ${url} is lost; trying to come back` });
        }
        if (state === 'attached' && ears.lost) {
          ears.lost = false;
          own('connected again; the session goes on where it was');
        }
      },
      asked: (actor, { verb, ...more }) =>
        own(`the conductor asks ${actor} for: ${verb} ${JSON.stringify(more)}`),
      held: (actor, after) => {
        if (ears.session === 'none' || ears.session.held(after) === 'not-waiting') {
          own(`${actor} stands still behind ${after}(); go lets it go on`);
        }
      },
      began: (actor) => {
        if (ears.session !== 'none' && actor === firstActor())
          own('the lab began anew: what you held is gone');
      },
    },
  });
  await agent.greeted.catch((error: unknown) => {
    throw asRefused(error, url);
  });
  const name = firstActor();
  const watch = new LabWatch(
    { url, lab, name: `${name}.eyes` },
    {
      events: (events) => {
        if (ears.session === 'none') return;
        const { client } = ears.session;
        for (const event of events) {
          const text = newsOf(event, client);
          if (text !== 'none')
            notice({ kind: event.kind === 'violation' ? 'alarm' : 'news', text });
        }
      },
      restarted: (snapshot, why) => {
        const kernel = kernelLabel(snapshot);
        if (why === 'another-machine') own(`another machine runs now, with the kernel ${kernel}`);
      },
    },
  );
  try {
    await watch.start();
  } catch (error) {
    agent.close();
    throw asRefused(error, url);
  }
  ears.session = new PromptSession({
    role,
    agent,
    watch,
    lab: options.labName,
    hand: new LabHand(url, lab),
    patienceMs: options.patienceMs,
    late: (text, { outcome }) => notice({ kind: outcome === 'failed' ? 'alarm' : 'own', text }),
  });
  return {
    session: ears.session,
    name,
    agent,
    watch,
    leave: () => leave(role, name, { agent, watch }, notice),
  };
}

async function leave(
  role: PromptRole,
  name: string,
  { agent, watch }: Pick<Joined, 'agent' | 'watch'>,
  notice: PromptJoinOptions['notice'],
): Promise<void> {
  if (role === 'device') {
    agent.go(name);
    const back = await giveBack(agent, name);
    if (back === 'late')
      notice({ kind: 'alarm', text: `memory of ${name} could not go back in time and is lost` });
  }
  agent.close();
  watch.close();
  await agent.left;
}

async function giveBack(agent: PlayedAgent, name: string): Promise<'back' | 'late'> {
  const finalized = agent.perform(name, { verb: 'finalize' }).catch(() => undefined);
  const released = finalized.then(() => agent.perform(name, { verb: 'release' }));
  const over = Promise.race([released.catch(() => undefined), agent.closed]);
  const late = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => late.resolve('late'), LEAVE_MS);
  try {
    return await Promise.race([over.then(() => 'back' as const), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function asRefused(error: unknown, url: string): unknown {
  if (!(error instanceof SessionClosed)) return error;
  return new Unavailable(endedSentence(error.closed, url), { cause: error });
}
