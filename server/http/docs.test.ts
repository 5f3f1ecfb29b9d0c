import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { HTTP_BODY_BYTES_MAX } from '../protocol/http-api.ts';
import { HTTP_ERROR_CODES } from '../protocol/http-errors.ts';
import { type HttpHarness, startHttp } from './http.fixture.ts';
import { schemaText } from './schema-text.ts';

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

test('the page for people has every route, and no script', async () => {
  const { text, headers } = await http.get('/docs');
  assert.match(text, /POST<\/b> <code>\/api\/labs\/\{lab\}\/control/);
  assert.match(text, /&quot;pause&quot;/);
  assert.ok(!text.includes('<script'));
  assert.match(String(headers['content-security-policy']), /default-src 'none'/);
});

test('a schema is told in the words of a type', () => {
  const schema = {
    type: 'object',
    required: ['a'],
    properties: {
      a: { type: 'integer', minimum: 1, maximum: 3, description: 'a few' },
      b: { anyOf: [{ const: 'x' }, { type: 'null' }] },
      c: { type: 'array', items: { type: 'string', maxLength: 4 } },
    },
  };
  assert.equal(
    schemaText(schema),
    '{\n  a: integer (1 to 3)  // a few\n  b?: "x" | null\n  c?: [ string (at most 4), ... ]\n}',
  );
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
