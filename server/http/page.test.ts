import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type HttpHarness, startHttp } from './http.fixture.ts';

let http: HttpHarness;
let above: string;
let folder: string;

beforeEach(async () => {
  above = mkdtempSync(join(tmpdir(), 'mmrace-page-'));
  folder = join(above, 'web');
  writeFileSync(join(above, 'secret.txt'), 'secret');
  http = await startHttp({ pageFolder: folder });
});

afterEach(async () => {
  await http.close();
  rmSync(above, { recursive: true });
});

function build(): void {
  mkdirSync(join(folder, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>the page</title>');
  writeFileSync(join(folder, 'assets/index-abc123.js'), 'export {};');
  writeFileSync(join(folder, 'assets/index-abc123.js.gz'), gzipSync('export {};'));
  writeFileSync(join(folder, 'assets/font-abc123.svg'), '<svg/>');
}

const BROWSER = { accept: 'text/html,*/*' };

test('a page that is not built says what to run, and is served as soon as it is there', async () => {
  const missing = await http.get('/', BROWSER);
  assert.equal(missing.status, 503);
  assert.match(missing.text, /npm run build/);
  build();
  const { status, text, headers } = await http.get('/', BROWSER);
  assert.equal(status, 200);
  assert.match(text, /the page/);
  assert.equal(headers['cache-control'], 'no-cache');
  const policy = String(headers['content-security-policy']);
  assert.match(policy, /default-src 'none'/);
  assert.ok(!policy.includes('unsafe-eval'));
});

test('files with a hash in their names are kept for ever', async () => {
  build();
  const { status, headers } = await http.get('/assets/index-abc123.js');
  assert.equal(status, 200);
  assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.match(String(headers['content-type']), /javascript/);
});

test('a browser that unpacks gets files packed, and the same in them', async () => {
  build();
  const path = '/assets/index-abc123.js';
  const { headers } = await http.get(path, { 'accept-encoding': 'gzip, br' });
  assert.equal(headers['content-encoding'], 'gzip');
  assert.equal(headers.vary, 'accept-encoding');
  assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
  const raw = await http.app.inject({ url: path, headers: { 'accept-encoding': 'gzip' } });
  assert.equal(gunzipSync(raw.rawPayload).toString(), 'export {};');
  const plain = await http.get(path);
  assert.equal(plain.headers['content-encoding'], undefined);
  assert.equal(plain.text, 'export {};');
  const alone = await http.get('/assets/font-abc123.svg', { 'accept-encoding': 'gzip, br' });
  assert.equal(alone.headers['content-encoding'], undefined);
  assert.equal(alone.text, '<svg/>');
});

test('the addresses of the page are its own, those of programs are not', async () => {
  build();
  for (const path of ['/lab/demo', '/run/abc?scenario=x', '/join/BCDFG', '/explore']) {
    const { status, text } = await http.get(path, BROWSER);
    assert.equal(status, 200, path);
    assert.match(text, /the page/);
  }
  for (const path of ['/assets/gone.js', '/api/gone', '/docs/gone', '/favicon.ico']) {
    const { status, body } = await http.get(path, BROWSER);
    assert.equal(status, 404, path);
    assert.equal(body.error.code, 'not-found');
  }
  // curl has no use for a page where it mistyped an address.
  assert.equal((await http.get('/lab/demo')).status, 404);
});

test('nothing outside the folder is served', async () => {
  build();
  for (const path of [
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/..%5csecret.txt',
    '/%00',
    '/%',
  ]) {
    const { status, text } = await http.get(path, BROWSER);
    assert.ok(status === 404 || status === 400, `${path}: ${status}`);
    assert.ok(!text.includes('secret\n') && text !== 'secret');
  }
});
