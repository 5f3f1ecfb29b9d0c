import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replay } from '../explorer/replay.ts';
import { planScenario } from '../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../scenario/scenario-world.ts';
import { scenarioOfShape, shapeNamed } from '../verify/shapes/shapes.ts';
import { ContestedSteps } from './contested-steps.ts';

/** Labels of the steps that are contested in one execution of the shape. */
function contestedIn(name: string): Set<string> {
  const plan = planScenario(scenarioOfShape(shapeNamed(name)));
  const { steps } = replay(() => newScenarioRun(plan), [], stepsMaxOf(plan));
  const contest = new ContestedSteps(steps);
  return new Set(steps.filter((_, at) => contest.isAt(at)).map(({ step }) => step.at));
}

test('two threads of one device contest its page table, and one alone does not', () => {
  const both = contestedIn('present-mirrored:holder-fault-write+holder-fault-write');
  const alone = contestedIn('present-mirrored:holder-fault-write');
  assert.ok(both.has('dmirror_fault.install'), [...both].join());
  assert.ok(!alone.has('dmirror_fault.install'), [...alone].join());
});
