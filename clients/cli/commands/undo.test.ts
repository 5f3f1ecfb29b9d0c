/** A lab goes back from the command line, as a process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT } from '../exit-codes.ts';
import { script, withServer } from '../prompt/lab-for-prompts.fixture.ts';
import { runMmrace } from '../run-mmrace.fixture.ts';

test('undo: the last thing that was done, also in a lab that is locked, for its presenter', () =>
  withServer(async (server) => {
    const at = ['undo', '--url', server.webSocketUrl, '--json'];
    await script(server, 'cpu', 'cpu0', ['mmap 0x10000 1', 'store a 5', 'store a 6']);
    const undone = await runMmrace(...at);
    assert.equal(undone.code, EXIT.OK, undone.stderr);
    const { lab, events } = JSON.parse(undone.stdout) as { lab: string; events: number };
    const demo = server.labs.get('demo');
    assert.ok(demo !== 'none');
    assert.deepEqual([lab, events], ['demo', demo.feed.n]);

    demo.presenter.lock();
    const refused = await runMmrace(...at);
    assert.equal(refused.code, EXIT.USAGE);
    assert.match(refused.stderr, /presenter/);
    const allowed = await runMmrace(...at, '--presenter', demo.presenter.token);
    assert.equal(allowed.code, EXIT.OK, allowed.stderr);
    assert.ok(demo.feed.n < events);
  }));
