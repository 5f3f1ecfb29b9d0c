/** Where a world stands, as text: the same for two moments from which the same can follow. */
import { namesInOrder, positionOf, sharedState } from '../machine/shared-state.ts';
import type { World } from '../machine/world.ts';

/** State and positions. Sequences count up for ever, so only which of them are equal matters. */
export function stateKey(world: World): string {
  const names = namesInOrder();
  let current = '';
  const states = [...sharedState(world, names)].map(({ name, state }) => {
    if (name.startsWith('subscriptions')) {
      current = /seq (\d+)/.exec(state)?.[1] ?? '';
      return state.replace(/seq \d+/, Number(current) % 2 === 0 ? 'even' : 'odd');
    }
    return name.startsWith('sequence') ? `${name} ${state === current}` : `${name}: ${state}`;
  });
  const { scheduler } = world;
  const tasks = [...scheduler.readyTasks(), ...scheduler.blockedTasks()];
  return [...states, ...tasks.map((task) => positionOf(task, names))].sort().join('\n');
}
