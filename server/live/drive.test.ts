import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Inbound } from '../machine/remote/inbound.ts';
import type { ListedTask } from '../machine/task-list.ts';
import { Drive } from './drive.ts';

/** `steps` steps of work, for task 1. */
function startDrive(steps: number) {
  const accepted: string[] = [];
  let left = steps;
  const task: ListedTask = {
    id: 1,
    actor: 'cpu0',
    name: 'load',
    at: 'task.start',
    state: 'ready',
    waitsFor: 'nothing',
    holder: 'unknown',
  };
  const machine = {
    accept: (inbound: Inbound) => {
      accepted.push(inbound.kind);
      if (inbound.kind === 'step') left -= 1;
    },
    tasks: () => (left > 0 ? [task] : []),
  };
  const drive = new Drive(machine, (thrown) => assert.fail(String(thrown)));
  return { drive, accepted };
}

test('the machine is told once, whatever way it comes to be stepped', () => {
  const { drive, accepted } = startDrive(3);
  drive.pause();
  drive.pause();
  drive.setSpeed(1);
  drive.resume();
  assert.equal(drive.mode, 'stepped');
  assert.deepEqual(accepted, ['pause']);
  drive.setSpeed('full');
  assert.deepEqual(accepted, ['pause', 'resume']);
  drive.machineIsNew('running');
  assert.deepEqual(accepted, ['pause', 'resume']);
  drive.pause();
  drive.machineIsNew('running');
  assert.deepEqual(accepted, ['pause', 'resume', 'pause', 'pause']);
  drive.close();
});

test('a step is taken only of a ready task of a lab that stands', () => {
  const { drive, accepted } = startDrive(1);
  assert.equal(drive.step('next'), 'running');
  drive.pause();
  assert.equal(drive.step(2), 'not ready');
  assert.equal(drive.step(1), 'stepped');
  assert.equal(drive.step('next'), 'not ready');
  assert.deepEqual(accepted, ['pause', 'step']);
});

test('a speed takes so many steps a second, and none to make up for a time without work', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { drive, accepted } = startDrive(150);
  const steps = () => accepted.filter((kind) => kind === 'step').length;
  drive.setSpeed(100);
  t.mock.timers.tick(1_000);
  assert.equal(steps(), 100);
  drive.pause();
  t.mock.timers.tick(1_000);
  assert.equal(steps(), 100);
  drive.resume();
  t.mock.timers.tick(10_000);
  assert.equal(steps(), 150);
  drive.close();
});

test('clients wait for the hand that drives while it is still, or has work; else it waits for them', () => {
  const { drive } = startDrive(1);
  assert.equal(drive.keepsWaiting(), false);
  drive.setSpeed(1);
  assert.equal(drive.keepsWaiting(), true);
  drive.step('next');
  assert.equal(drive.keepsWaiting(), false);
  drive.pause();
  assert.equal(drive.keepsWaiting(), true);
  drive.close();
});
