import type { Task } from '../../server/task/task.ts';
import { CpuClient } from '../sdk/cpu-client.ts';
import type { Agent } from './agent-process.ts';
import { performCpuVerb } from './cpu-verbs.ts';
import type { AgentOptions } from './device-agent.ts';

/**
 * A CPU thread in a lab, and its forked child as a second session of this process. The child is there when the
 * verb `fork` has been answered.
 */
export function startCpu(options: AgentOptions): Agent {
  const { url, lab, say, connectMs } = options;
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
  const join = (name: string): CpuClient =>
    new CpuClient({
      url,
      lab,
      name,
      connectMs,
      cpu: ({ api, context, waitFor }) => {
        if (name === options.name) for (const child of [...children.keys()]) endChild(child);
        const performer = {
          api,
          context,
          actor: name,
          *forked(child: string): Task<void> {
            endChild(child);
            yield* waitFor(leaving.get(child) ?? Promise.resolve());
            leaving.delete(child);
            const client = join(child);
            children.set(child, client);
            yield* waitFor(client.connection.greeted);
          },
          // Behind the answer to `exit`, which is sent in this turn.
          exited: () => queueMicrotask(() => endChild(name)),
        };
        return (params) => performCpuVerb(performer, params);
      },
      trouble: (error) => say(error instanceof Error ? error.message : String(error)),
    });
  const parent = join(options.name);
  return {
    close: () => {
      for (const child of [...children.keys()]) endChild(child);
      parent.close();
    },
    closed: parent.connection.closed,
  };
}
