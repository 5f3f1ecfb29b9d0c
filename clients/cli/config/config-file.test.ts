import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { configFrom, DEFAULT_CONFIG } from '../../../server/app/config.ts';
import { UsageError } from '../failure.ts';
import { newProgram } from '../program.ts';
import { applyConfigFile } from './apply-config-file.ts';
import { environmentWithFile, readConfigFile } from './config-file.ts';
import { flagValues } from './flag-values.ts';
import { inForce } from './in-force.ts';
import { SETTINGS } from './settings.ts';

function folderWith(files: { readonly [name: string]: string }): string {
  const folder = mkdtempSync(join(tmpdir(), 'mmrace-config-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

test('flags win over the environment, that over the file, that over the defaults', async () => {
  const file = await readConfigFile(
    folderWith({ 'mmrace.yaml': 'port: 1\nlab: of-file\nleaseMs: 3\nhost: localhost\n' }),
  );
  const settings = inForce({
    flags: { port: 3 },
    environment: { MMRACE_PORT: '2', MMRACE_LAB: 'of-environment' },
    file,
  });
  const from = Object.fromEntries(
    settings.map((setting) => [setting.key, [setting.value, setting.from]]),
  );
  assert.deepEqual(from.port, [3, 'flag']);
  assert.deepEqual(from.lab, ['of-environment', 'environment']);
  assert.deepEqual(from.leaseMs, [3, 'file']);
  assert.deepEqual(from.graceMs, [DEFAULT_CONFIG.graceMs, 'default']);
});

test('a file stands behind the environment of a server, whichever way it is written', async () => {
  for (const [name, text] of [
    ['mmrace.json', '{ "port": 8080, "unknownLabs": "refused" }'],
    ['mmrace.yml', 'port: 8080\nunknownLabs: refused\n'],
  ] as const) {
    const folder = folderWith({ [name]: text });
    const config = configFrom(await environmentWithFile({ MMRACE_PORT: '9' }, folder));
    assert.equal(config.port, 9);
    assert.equal(config.unknownLabs, 'refused');
  }
  assert.equal(await readConfigFile(folderWith({})), 'none');
  assert.deepEqual(configFrom(await environmentWithFile({}, folderWith({}))), DEFAULT_CONFIG);
});

test('the variables are those of the server: each setting reaches its config', () => {
  const clients = ['url', 'lab', 'name'];
  for (const { key, variable, fallback } of SETTINGS) {
    if (clients.includes(key)) continue;
    const unlike =
      typeof fallback === 'number'
        ? '777'
        : {
            unknownLabs: 'refused',
            restore: 'restored',
            durability: 'each',
            keep: '77',
            log: 'fatal',
            logForm: 'json',
          }[key];
    const config = configFrom({ [variable]: unlike ?? 'elsewhere' });
    assert.notDeepEqual(config, DEFAULT_CONFIG, variable);
  }
});

test('everything that is wrong with a file is said, with line, column and what is meant', async () => {
  const wrong = async (text: string): Promise<string> => {
    try {
      await readConfigFile(folderWith({ 'mmrace.yaml': text }));
    } catch (error) {
      assert.ok(error instanceof UsageError);
      return error.message.replaceAll(/^.*mmrace\.yaml/gm, 'mmrace.yaml');
    }
    return 'nothing';
  };
  assert.equal(
    await wrong('port: 80800\nlabb: x\n'),
    'mmrace.yaml:1:7: port: expected a whole number from 0 to 65535, got 80800\n' +
      'mmrace.yaml:2:1: labb: unknown key "labb"; did you mean "lab"?',
  );
  assert.match(await wrong('port: [\n'), /^mmrace\.yaml:\d+:\d+: not YAML/);
  assert.match(await wrong('- a\n'), /expected a mapping/);
  assert.equal(await wrong(''), 'nothing');
  const two = folderWith({ 'mmrace.json': '{}', 'mmrace.yaml': '' });
  await assert.rejects(readConfigFile(two), /both there: keep one of them/);
});

test('a command that joins takes from the file what is not set otherwise', async () => {
  const folder = folderWith({ 'mmrace.json': '{ "lab": "of-file", "url": "ws://file:1/ws" }' });
  const program = await newProgram();
  const observe = program.commands.find((command) => command.name() === 'observe');
  assert.ok(observe !== undefined);
  observe.parseOptions(['--url', 'ws://flag:1/ws']);
  await applyConfigFile(observe, folder);
  const { lab, url } = observe.opts();
  assert.deepEqual([lab, url], ['of-file', 'ws://flag:1/ws']);
});

test('a server that the file moves is where clients look for it', async () => {
  for (const [file, url] of [
    ['{ "port": 8080 }', 'ws://127.0.0.1:8080/ws'],
    ['{ "host": "0.0.0.0" }', 'ws://127.0.0.1:7070/ws'],
    ['{ "host": "fd00::7", "port": 1 }', 'ws://[fd00::7]:1/ws'],
    ['{ "port": 8080, "url": "ws://elsewhere:1/ws" }', 'ws://elsewhere:1/ws'],
  ]) {
    const program = await newProgram();
    const device = program.commands.find((command) => command.name() === 'device');
    assert.ok(device !== undefined);
    await applyConfigFile(device, folderWith({ 'mmrace.json': file ?? '' }));
    assert.equal(device.opts().url, url);
  }
});

test('a flag is checked as the file is, and named', () => {
  const values = flagValues(
    new Map([
      ['--port', '8080'],
      ['--name', '7'],
      ['--log', 'json'],
    ]),
  );
  assert.deepEqual(values, { port: 8080, name: '7', logForm: 'json' });
  for (const [flag, text, problem] of [
    ['--port', 'x', /^--port: expected a whole number from 0 to 65535, got "x"$/],
    ['--port', '65536', /^--port: expected/],
    ['--log', 'jsn', /^--log: expected .*did you mean "json"/],
  ] as const)
    assert.throws(() => flagValues(new Map([[flag, text]])), {
      name: 'UsageError',
      message: problem,
    });
});
