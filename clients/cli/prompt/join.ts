/** An agent, and somebody's hand on it: joins a lab, hears what happens, and leaves without losing anybody's data. */

import { kernelLabel } from '../../../server/report/lines/kernel-label.ts';
import type { AgentOptions, PlayedAgent } from '../../agents/played-agent.ts';
import { SessionClosed } from '../../sdk/connection.ts';
import { endedSentence } from '../ended-session.ts';
import { UsageError } from '../failure.ts';
import { newsOf } from './concern.ts';
import { LabWatch } from './lab-watch.ts';
import type { Notice } from './notices.ts';
import { PromptSession, type SessionParts } from './prompt-session.ts';
import type { PromptRole } from './verb.ts';

/** Milliseconds that private memory has to go back before its device leaves. */
const LEAVE_MS = 2_000;

export interface PromptJoinOptions {
  readonly role: PromptRole;
  readonly url: string;
  readonly lab: string;
  readonly name: string;
  readonly start: (options: AgentOptions) => PlayedAgent;
  readonly patienceMs: SessionParts['patienceMs'];
  readonly notice: (notice: Notice) => void;
}

export interface Joined {
  readonly session: PromptSession;
  readonly agent: PlayedAgent;
  readonly watch: LabWatch;
  /** Gives private memory back and ends the session. */
  leave(): Promise<void>;
}

/** Rejects: UsageError if the server cannot be reached or refuses. */
export async function join(options: PromptJoinOptions): Promise<Joined> {
  const { role, url, lab, name, notice } = options;
  const ears: { session: PromptSession | 'none'; lost: 'yes' | 'no' } = {
    session: 'none',
    lost: 'no',
  };
  const own = (text: string): void => notice({ kind: 'own', text });
  const agent = options.start({
    url,
    lab,
    name,
    connectMs: 0,
    say: own,
    watch: {
      moved: (actor, state) => {
        if (actor !== name) return;
        if (state === 'away' && ears.lost === 'no' && ears.session !== 'none') {
          ears.lost = 'yes';
          notice({ kind: 'alarm', text: `the connection to ${url} is lost; trying to come back` });
        }
        if (state === 'attached' && ears.lost === 'yes') {
          ears.lost = 'no';
          own('connected again; the session goes on where it was');
        }
      },
      asked: (actor, { verb, ...more }) =>
        own(`the conductor asks ${actor} for: ${verb} ${JSON.stringify(more)}`),
      held: (actor, after) => {
        if (ears.session === 'none' || ears.session.held(after) === 'nobody-waits') {
          own(`${actor} stands still behind ${after}(); go lets it go on`);
        }
      },
      began: (actor) => {
        if (ears.session !== 'none' && actor === name)
          own('the lab began anew: what you held is gone');
      },
    },
  });
  await agent.greeted.catch((error: unknown) => {
    throw asRefused(error, url);
  });
  const watch = new LabWatch(
    { url, lab, name: `${name}.eyes` },
    {
      events: (events) => {
        if (ears.session === 'none') return;
        const { somebody } = ears.session;
        for (const event of events) {
          const text = newsOf(event, somebody);
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
    patienceMs: options.patienceMs,
    late: (text, { outcome }) => notice({ kind: outcome === 'failed' ? 'alarm' : 'own', text }),
  });
  return {
    session: ears.session,
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
  return new UsageError(endedSentence(error.closed, url), { cause: error });
}
