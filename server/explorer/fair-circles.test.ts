import assert from 'node:assert/strict';
import test from 'node:test';
import { StateGraph } from './fair-circles.ts';

/** `a: b by X` is a step of task X from state a to state b. All that steps from a state can go on there. */
function graphOf(steps: readonly (readonly [number, string, number])[]): StateGraph {
  const graph = new StateGraph();
  for (const [key] of steps) {
    graph.met(
      key,
      steps.flatMap(([from, task]) => (from === key ? [task] : [])),
    );
  }
  for (const [from, task, to] of steps) graph.stepped(from, task, to);
  return graph;
}

test('two loops through one state are a round in which both tasks have their turn', () => {
  const found = graphOf([
    [0, 'x', 1],
    [1, 'x', 1],
    [1, 'y', 2],
    [2, 'y', 1],
    [2, 'x', 2],
  ]).fairCircle();
  assert.notEqual(found, 'none');
  if (found === 'none') return;
  assert.deepEqual(found.prefix, ['x']);
  assert.deepEqual([...new Set(found.round)].sort(), ['x', 'y']);
  // Walked through the graph above it ends where it begins.
  assert.equal(found.round.filter((task) => task === 'y').length % 2, 0);
});

test('a loop beside which another task can always end the matter is not fair', () => {
  const steps = [
    [0, 'x', 0],
    [0, 'y', 1],
  ] as const;
  assert.equal(graphOf(steps).fairCircle(), 'none');
});

test('a loop is left out that needs a task to be passed over, and the fair one within it is found', () => {
  const steps = [
    // z could go on in 0, and never does as long as all this goes round.
    [0, 'x', 1],
    [1, 'x', 0],
    [0, 'z', 9],
    [1, 'y', 2],
    [2, 'y', 1],
    [1, 'x', 3],
    [3, 'x', 1],
  ] as const;
  const found = graphOf(steps).fairCircle();
  assert.notEqual(found, 'none');
  assert.ok(found !== 'none' && !found.round.includes('z'));
});
