/** The package from its tarball, in a project of somebody else's: the library, its types, the documents' programs. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { DEFAULT_CONFIG } from '../../server/app/config.ts';
import { type RunningServer, startServer } from '../../server/app/start-server.ts';
import { ensurePage } from '../web/build/ensure-page.ts';
import { connect } from './mmrace.ts';
import { otherNodes } from './other-nodes.ts';
import { type PackedProject, packProject } from './packed-project.fixture.ts';

const REGION = { address: '0x100200000', pages: 4 };
let project: PackedProject;
let server: RunningServer;

before(async () => {
  await ensurePage();
  project = await packProject();
  server = await startServer({ ...DEFAULT_CONFIG, port: 0, drainMs: 0, logLevel: 'silent' });
  for (const lab of ['library0', 'library1', 'sdk-device', 'raw-device'])
    server.labs.open(lab, { patch: 'stock' }, 'kept');
});

after(async () => {
  await server.stop();
  project.remove();
});

const PROGRAM = `
import { connect, cpuVerbs, dmirror } from 'mmrace';
const [url, lab] = process.argv.slice(2);
const seen = [];
const join = { url, lab };
const events = (some) => seen.push(...some);
const observer = await connect({ ...join, role: 'observer', name: 'watch', snapshot: () => {}, events });
const cpu = await connect({ ...join, role: 'cpu', name: 'cpu0', program: cpuVerbs });
const gpu = await connect({ ...join, role: 'device', name: 'gpu0', driver: dmirror });
const region = { address: '0x100200000', pages: 2 };
await cpu.perform({ verb: 'mmap', ...region, prot: 'rw', kind: 'anon-private' });
await cpu.perform({ verb: 'store-pages', address: region.address, values: ['0x1', '0x2'] });
const range = { first: 0x100200, end: 0x100202 };
const moved = (await gpu.perform({ verb: 'migrate-to-dev', range })).values;
gpu.connection.comeBack(); // the connection breaks, and is resumed
const read = (await gpu.perform({ verb: 'read', range })).values;
const back = (await cpu.perform({ verb: 'load-pages', ...region })).values;
while (!seen.some((event) => event.kind === 'cpu-access' && event.mode === 'read')) {
  await new Promise((resolve) => setTimeout(resolve, 1));
}
console.log(JSON.stringify({ moved, read, back, epoch: gpu.connection.session.epoch }));
for (const client of [observer, cpu, gpu]) client.close();
`;

for (const [at, node] of [process.execPath, ...otherNodes()].entries()) {
  test(`the library works in ${node}: a CPU, a device that loses its connection, an observer`, async () => {
    const args = ['program.mjs', server.webSocketUrl, `library${at}`];
    writeFileSync(join(project.folder, 'program.mjs'), PROGRAM);
    const { stdout, stderr } = await project.execute(node, args);
    assert.equal(stderr, '');
    const values = ['0x1', '0x2'];
    assert.deepEqual(JSON.parse(stdout), { moved: values, read: values, back: values, epoch: 2 });
  });
}

const TYPED = `
import { connect, dmirror, type DeviceOptions } from 'mmrace';
import type { DeviceFactory } from 'mmrace/sdk/device-client';
import { pageIndex, pageRange } from 'mmrace/vocabulary/address';
export const reader: DeviceFactory = ({ api, context, waitFor }) => {
  const device = dmirror({ api, context, waitFor });
  return { ...device, *perform(params) { return yield* device.perform({ ...params, verb: 'read' }); } };
};
const options: DeviceOptions = { role: 'device', url: 'ws://x', lab: 'demo', name: 'gpu0', driver: reader };
const gpu = await connect(options);
const cpu = await connect({ role: 'cpu', url: 'ws://x', lab: 'demo', name: 'cpu0' });
const begun: number = await gpu.run('begin', gpu.api.mmapReadLock()).then(() => 1);
const read: Promise<{ readonly [name: string]: unknown }> = cpu.perform({ verb: 'load', address: '0x0' });
export const all = [begun, read, pageRange(pageIndex(1), pageIndex(2)).end];
// @ts-expect-error: a device needs a driver
await connect({ role: 'device', url: 'ws://x', lab: 'demo', name: 'gpu0' });
`;

test('a TypeScript project finds the types, and is told what is wrong', async () => {
  const options = [
    ...['--noEmit', '--strict', '--skipLibCheck', 'false', '--types', '', '--pretty', 'false'],
    ...['--target', 'es2024', '--lib', 'esnext,dom', '--module', 'nodenext'],
  ];
  writeFileSync(join(project.folder, 'typed.mts'), TYPED);
  writeFileSync(join(project.folder, 'wrong.mts'), TYPED.replace("role: 'cpu'", "role: 'gpu'"));
  const { stdout } = await project.check(['typed.mts', 'wrong.mts'], options);
  const complaints = stdout.split('\n').filter((line) => line.includes('error TS'));
  assert.equal(complaints.length, 1, stdout);
  assert.match(complaints[0] ?? '', /^wrong\.mts\(\d+,\d+\): error TS\d+: No overload matches/);
});

/** Everything that a module of the package imports, and what those import: files, and names of other packages. */
function closureOf(file: string, root: string, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(relative(root, file))) return seen;
  seen.add(relative(root, file));
  const imports = readFileSync(file, 'utf8').matchAll(
    /^(?:import|export)\b[^'"]*?from ['"](.*?)['"]/gm,
  );
  for (const [, name = ''] of imports) {
    if (name.startsWith('.')) closureOf(join(dirname(file), name), root, seen);
    else seen.add(name);
  }
  return seen;
}

test('the library needs nothing that browsers lack', () => {
  const root = join(project.mmrace, 'dist');
  const needs = closureOf(join(root, 'clients/library/mmrace.js'), root);
  assert.ok(needs.has('clients/sdk/connection.js'));
  assert.deepEqual([...needs].filter((name) => !name.endsWith('.js')).sort(), [
    'typebox',
    'typebox/compile',
  ]);
  assert.ok(closureOf(join(root, 'clients/agents/device.js'), root).has('node:util'));
});

const OWN_DRIVER = `
import { dmirrorWith } from 'mmrace/drivers/faulty/dmirror-variant';
import type { DriverOptions } from 'mmrace/drivers/faulty/driver-variant';
export const driver = { newDevice: (options: DriverOptions) => dmirrorWith(options, { *mapMigrated() {} }) };
`;

test('the command line works from the package, with the scenarios and the page that it ships', async () => {
  const mmrace = (...args: string[]) =>
    project.execute(process.execPath, [join(project.mmrace, 'clients/cli/mmrace.js'), ...args]);
  const { version } = JSON.parse(readFileSync(join(project.mmrace, 'package.json'), 'utf8'));
  assert.equal((await mmrace('--version')).stdout, `${version}\n`);
  const scenario = join(project.mmrace, 'scenarios/seed-zero-page.yaml');
  const holds = await mmrace('explore', scenario);
  assert.equal(holds.code, 0, holds.stderr);
  const sampled = ['--strategy', 'random', '--workers', '2', '--budget-executions', '500'];
  const patched = ['--patch', 'remove-second-invalidate', ...sampled];
  const broken = await mmrace('explore', scenario, ...patched);
  assert.equal(broken.code, 1, broken.stderr);
  const driver = join(project.folder, 'mine.mts');
  writeFileSync(driver, OWN_DRIVER);
  const refault = join(project.mmrace, 'scenarios/own-refault.yaml');
  const own = await mmrace('explore', refault, '--driver', `dev0=${driver}`, '--workers', '2');
  assert.equal(own.code, 1, own.stderr);
  for (const file of ['dist/web/index.html', 'clients/python/mmrace_device.py', 'docs/PROTOCOL.md'])
    assert.ok(existsSync(join(project.mmrace, file)), file);
});

test('a server from the package serves its page, and its documents', async () => {
  const mmrace = join(project.mmrace, 'clients/cli/mmrace.js');
  const child = spawn(process.execPath, [mmrace, 'serve', '--port', '0'], { cwd: project.folder });
  try {
    const [url = 'nowhere'] = /http:\/\/[\w.:]+/.exec(await firstLine(child)) ?? [];
    const page = await fetch(url);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<script type="module"/);
    const { asyncapi } = (await (await fetch(`${url}/asyncapi.json`)).json()) as {
      readonly asyncapi: string;
    };
    assert.equal(asyncapi, '3.0.0');
  } finally {
    child.kill();
  }
});

/** The programs of a document, by the name in their first line. */
function programsOf(document: string): Map<string, string> {
  const text = readFileSync(new URL(`../../${document}`, import.meta.url), 'utf8');
  const blocks = text.matchAll(/^```js\n\/\/ (\S+)\n([\s\S]*?)^```/gm);
  return new Map([...blocks].map(([, name = '', code = '']) => [name, code]));
}

/** Waits for the first line that a program prints, on whichever of the two. */
function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data) => {
        said += data;
        if (said.includes('\n')) resolve(said.split('\n')[0] ?? '');
      });
    }
    child.on('exit', () => reject(new Error(said)));
  });
}

for (const program of ['sdk-device.mjs', 'raw-device.mjs']) {
  test(`docs/WRITE-A-DEVICE.md: ${program} faults, reads, and lets go of what is unmapped`, async () => {
    const code = programsOf('docs/WRITE-A-DEVICE.md').get(program);
    assert.ok(code !== undefined);
    writeFileSync(join(project.folder, program), code);
    const lab = program.replace('.mjs', '');
    const join_ = { url: server.webSocketUrl, lab, name: 'cpu0' };
    const cpu = await connect({ role: 'cpu', ...join_ });
    const watched: string[] = [];
    const observer = await connect({
      role: 'observer',
      ...join_,
      snapshot: () => undefined,
      events: (events) => watched.push(...events.map(({ kind }) => kind)),
    });
    const args = [program, server.webSocketUrl, lab, 'gpu0'];
    const device = spawn(process.execPath, args, { cwd: project.folder });
    try {
      assert.equal(await firstLine(device), 'EFAULT EFAULT EFAULT EFAULT');
      await cpu.perform({ verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' });
      const values = ['0x1', '0xffffffffffffffff', '0x0', '0x4'];
      await cpu.perform({ verb: 'store-pages', address: REGION.address, values });
      const live = server.labs.get(lab);
      assert.ok(live !== 'none');
      const read = () => live.perform('gpu0', { verb: 'read' });
      assert.deepEqual(await read(), { ok: true, result: { values } });
      const zapped = { verb: 'madvise', address: REGION.address, pages: 1, advice: 'DONTNEED' };
      assert.deepEqual(await cpu.perform(zapped), { errno: 'OK' });
      const after = { values: ['0x0', ...values.slice(1)] };
      assert.deepEqual(await read(), { ok: true, result: after });
      assert.deepEqual(await cpu.perform({ verb: 'munmap', ...REGION }), { errno: 'OK' });
      const gone = { values: Array(4).fill('EFAULT') };
      assert.deepEqual(await read(), { ok: true, result: gone });
      assert.ok(watched.includes('device-access') && !watched.includes('violation'));
    } finally {
      device.kill();
      observer.close();
      cpu.close();
    }
  });
}
