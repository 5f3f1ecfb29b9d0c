import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { HTTP_BODY_BYTES_MAX } from '../protocol/http-api.ts';
import { HTTP_ERROR_CODES } from '../protocol/http-errors.ts';
import { type HttpHarness, startHttp } from './http.fixture.ts';

let http: HttpHarness;

beforeEach(async () => {
  http = await startHttp();
});

afterEach(async () => {
  await http.close();
});

interface Operation {
  readonly summary?: string;
  readonly responses?: object;
}

test('every route is in the document, with a summary and what it answers', async () => {
  const { body } = await http.get('/docs/json');
  assert.equal(body.openapi, '3.1.0');
  const paths: { readonly [path: string]: { readonly [method: string]: Operation } } = body.paths;
  const listed = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  for (const route of [
    'GET /api/labs',
    'POST /api/labs',
    'DELETE /api/labs/{lab}',
    'POST /api/labs/{lab}/control',
    'GET /api/labs/{lab}/events',
    'GET /api/join/{code}',
    'GET /api/scenarios',
    'GET /api/patches',
    'GET /api/patches/{id}',
    'POST /api/runs',
    'GET /api/runs/{id}/report/{format}',
    'GET /api/runs/{id}/events',
    'GET /healthz',
    'GET /readyz',
    'GET /metrics',
    'GET /version',
  ]) {
    assert.ok(listed.includes(route), `${route} is not in the document`);
  }
  for (const [path, item] of Object.entries(paths)) {
    for (const [method, { summary, responses }] of Object.entries(item)) {
      assert.ok(summary?.endsWith('.'), `${method} ${path}: ${summary}`);
      assert.ok(Object.keys(responses ?? {}).length > 0);
    }
  }
});

test('the page for people has all that it needs from this server', async () => {
  const { status, text, headers } = await http.get('/docs');
  assert.equal(status, 200);
  const policy = String(headers['content-security-policy']);
  assert.match(policy, /default-src 'self'/);
  assert.ok(!policy.includes('unsafe-eval'));
  assert.equal(headers['x-content-type-options'], 'nosniff');
  const needed = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, at]) => String(at));
  assert.ok(needed.length > 3);
  for (const at of needed) {
    const found = await http.get(new URL(at, 'http://host/docs/').pathname);
    assert.equal(found.status, 200, at);
  }
});

test('a wrong method, a body that is too long or no JSON, a page of others: each is told apart', async () => {
  const inject = http.app.inject.bind(http.app);
  const put = await inject({ method: 'PUT', url: '/api/labs/demo' });
  assert.equal(put.statusCode, 405);
  assert.equal(put.headers.allow, 'GET, HEAD, DELETE');
  const json = { 'content-type': 'application/json' };
  const long = ' '.repeat(HTTP_BODY_BYTES_MAX + 1);
  const cases = [
    [{ headers: json, payload: long }, 'too-large'],
    [{ headers: json, payload: '{' }, 'bad-request'],
    [{ headers: { 'content-type': 'text/plain' }, payload: 'x' }, 'not-json'],
    [{ headers: { ...json, origin: 'http://evil.example' }, payload: '{}' }, 'foreign-page'],
  ] as const;
  for (const [request, code] of cases) {
    const answer = await inject({ method: 'POST', url: '/api/labs', ...request });
    assert.equal(answer.json().error.code, code);
    assert.equal(answer.statusCode, HTTP_ERROR_CODES[code].status);
    assert.ok(answer.headers['x-request-id'] !== undefined);
  }
  assert.equal(http.gateway.labs.all().length, 0);
});
