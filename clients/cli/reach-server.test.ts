/** Everything that can answer at an address, or not. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { UsageError } from './failure.ts';
import { withServer } from './prompt/lab-for-prompts.fixture.ts';
import { httpUrlOf, labOnServer, reach, reachProblem } from './reach-server.ts';

async function answering(body: string, look: (url: string) => Promise<void>): Promise<void> {
  const server = createServer((_, response) => response.end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await look(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const said = async (url: string): Promise<string> => reachProblem(url, await reach(url));

test('a server of another protocol version is told apart, with the version to use', () =>
  answering(
    JSON.stringify({
      name: 'mmrace',
      protocol: 'mmrace.v2',
      model: { hash: 'x', version: '9.0.0' },
    }),
    async (url) => {
      assert.equal(
        await said(url),
        `the server at ${url} speaks mmrace.v2 and this command mmrace.v1: ` +
          "use the mmrace of the server's version, 9.0.0",
      );
      await assert.rejects(
        labOnServer({ url, lab: 'demo', said: 'name-or-code', unknown: 'opened' }),
        UsageError,
      );
    },
  ));

test('something else that answers there is not taken for a server', () =>
  answering('<html>hello</html>', async (url) => {
    assert.match(
      await said(url),
      /^what answers at ws:.* is not mmrace: say where the server is with --url/,
    );
  }));

test('nobody there: how to start one', async () => {
  assert.match(
    await said('ws://127.0.0.1:1/ws'),
    /^no server answers at ws:.*: start one with npx mmrace serve/,
  );
});

test('an address that is none is refused with an example', () => {
  for (const url of ['demo', 'http://127.0.0.1:7070']) {
    assert.throws(
      () => httpUrlOf(url),
      /--url: expected an address such as ws:\/\/127\.0\.0\.1:7070\/ws, found/,
    );
  }
});

test('a lab is found by its name and by its code in any case; another is refused, or opened on demand', () =>
  withServer(async (server) => {
    const url = server.webSocketUrl;
    const listed = await (await fetch(`${server.url}/api/labs`)).json();
    const { code } = (listed as { labs: { code: string }[] }).labs[0] ?? { code: 'none' };
    for (const lab of ['demo', code, code.toLowerCase()]) {
      assert.equal(
        (await labOnServer({ url, lab, said: 'name-or-code', unknown: 'refused' })).name,
        'demo',
      );
    }
    await assert.rejects(
      labOnServer({ url, lab: 'dmeo', said: 'name-or-code', unknown: 'refused' }),
      /there is no lab, and no join code, "dmeo" at .*did you mean "demo"\?.*open are demo; --new opens/,
    );
    await assert.rejects(
      labOnServer({ url, lab: 'ZZZZZ', said: 'code', unknown: 'refused' }),
      (error: Error) =>
        /^no lab has the join code "ZZZZZ" at .*--lab NAME; open are demo$/.test(error.message),
    );
    assert.equal(
      (await labOnServer({ url, lab: 'mine', said: 'name-or-code', unknown: 'opened' })).name,
      'mine',
    );
  }));
