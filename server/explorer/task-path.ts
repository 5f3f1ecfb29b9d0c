import type { TaskIdentity } from '../task/context.ts';

/** What a task is called in every execution: a child has another number in each. */
export function taskPath({ id, actor, name, parent }: TaskIdentity): string {
  return parent === 'none' ? `${id}` : `${taskPath(parent)} > ${actor} ${name}`;
}
