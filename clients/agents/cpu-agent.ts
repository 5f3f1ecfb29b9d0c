import type { CpuApi } from '../../server/abi/cpu-api.ts';
import { VerbRefused } from '../sdk/conductor.ts';
import { CpuClient } from '../sdk/cpu-client.ts';
import type { ClientPast } from '../sdk/moments.ts';
import { performCpuVerb } from './cpu-verbs.ts';
import { type AgentOptions, type PlayedAgent, watching } from './played-agent.ts';

/**
 * A CPU thread in a lab, and its forked child as a second session of this process. The child is there when the
 * verb `fork` has been answered.
 */
export function startCpu(options: AgentOptions): PlayedAgent {
  const {
    url,
    lab,
    create,
    takeOver,
    say,
    connectMs,
    watch,
    onLoss = 'rejoin',
    comeBackMs,
    parked,
  } = options;
  const children = new Map<string, CpuClient>();
  /** Of children that ended: until it is settled their names are taken. */
  const leaving = new Map<string, Promise<void>>();
  const endChild = (name: string): void => {
    const child = children.get(name);
    if (child === undefined) return;
    children.delete(name);
    child.close();
    leaving.set(name, child.connection.left);
  };
  const join = (asked: string, place: 'first' | 'child'): CpuClient => {
    const client: CpuClient = new CpuClient({
      url,
      lab,
      name: asked,
      connectMs,
      ...(parked === undefined || place === 'child'
        ? {}
        : { parked: parked.session, past: parked.past as ClientPast<'nothing'> }),
      // A child is the thread of a fork, which a machine that has just begun has not.
      onLoss: place === 'first' ? onLoss : 'resume',
      ...(create === undefined ? {} : { create }),
      ...(takeOver === undefined ? {} : { takeOver }),
      ...(comeBackMs === undefined ? {} : { comeBackMs }),
      cpu: ({ api, context, waitFor, name }) => {
        watch?.began(name());
        if (place === 'first') for (const child of [...children.keys()]) endChild(child);
        const ownApi: CpuApi = {
          ...api,
          *fork(child) {
            const forked = yield* api.fork(child);
            if (!forked.ok) return forked;
            endChild(child);
            yield* waitFor(leaving.get(child) ?? Promise.resolve());
            leaving.delete(child);
            const thread = join(child, 'child');
            children.set(child, thread);
            yield* waitFor(thread.connection.greeted);
            return forked;
          },
          *exit() {
            const exited = yield* api.exit();
            // Behind the answer to `exit`, which is sent in this turn.
            if (exited.ok) queueMicrotask(() => endChild(name()));
            return exited;
          },
        };
        return (params) => performCpuVerb({ api: ownApi, context, actor: name() }, params);
      },
      trouble: (error) => say(error instanceof Error ? error.message : String(error)),
      ...watching(watch, () => client.connection.name),
    });
    return client;
  };
  const parent = join(options.name, 'first');
  const thread = (name: string): CpuClient => {
    const client = name === parent.connection.name ? parent : children.get(name);
    if (client === undefined) throw new VerbRefused(`${name} is no thread of this process`);
    return client;
  };
  return {
    close: () => {
      for (const child of [...children.keys()]) endChild(child);
      parent.close();
    },
    closed: parent.connection.closed,
    greeted: parent.connection.greeted,
    left: parent.connection.left,
    actors: () => [parent.connection.name, ...children.keys()],
    perform: (actor, params) => thread(actor).perform(params),
    ping: (actor) => thread(actor).connection.ping(),
    hold: (actor, after) => thread(actor).hold(after),
    go: (actor) => thread(actor).go(),
    park() {
      const { connection } = parent;
      const session = children.size > 0 || connection.inFlight > 0 ? 'none' : connection.park();
      return session === 'none' ? 'busy' : { session, device: 'none', past: parent.past };
    },
  };
}
