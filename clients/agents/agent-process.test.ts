import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLOSE_CODES } from '../../server/protocol/close-codes.ts';
import { localRefusal } from '../sdk/call-refusal.ts';
import { AGENT_EXIT, agentArguments, exitOf, runAgent } from './agent-process.ts';

test('flags win over the environment, the environment over the defaults', () => {
  const environment = { MMRACE_LAB: 'mine', MMRACE_NAME: 'gpu7' };
  assert.deepEqual(agentArguments(['--name', 'gpu8'], environment, 'dev0'), {
    url: 'ws://127.0.0.1:7070/ws',
    lab: 'mine',
    name: 'gpu8',
  });
});

test('an unknown option is a usage error', async () => {
  const parsed = agentArguments(['--colour', 'red'], {}, 'dev0');
  assert.ok('wrong' in parsed);
  assert.equal(
    await runAgent('device', parsed, () => assert.fail('not started')),
    AGENT_EXIT.USAGE,
  );
});

test('how a session ended decides the exit code', () => {
  const lost = (code: number) => exitOf({ why: 'lost', code, text: '' });
  assert.equal(exitOf({ why: 'ended' }), AGENT_EXIT.OK);
  assert.equal(lost(CLOSE_CODES.going.code), AGENT_EXIT.OK);
  assert.equal(lost(CLOSE_CODES.superseded.code), AGENT_EXIT.UNAVAILABLE);
  assert.equal(exitOf({ why: 'unreachable', code: 1006, text: '' }), AGENT_EXIT.UNAVAILABLE);
  const refusal = localRefusal('EEXIST', 'name-taken', 'taken', '');
  assert.equal(exitOf({ why: 'refused', refusal }), AGENT_EXIT.UNAVAILABLE);
});
