/** The AsyncAPI document against the official schema, and against what that cannot see: references, completeness. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import fastify from 'fastify';
import { asyncApi } from '../documents/asyncapi.ts';
import type { JsonSchema } from '../documents/plain-schema.ts';
import { CLIENT_REQUESTS, WIRE_METHODS } from '../documents/wire-methods.ts';
import { addAsyncApiRoute } from './asyncapi-route.ts';

const DOCUMENT = asyncApi({ version: '0.0.0', host: 'localhost:7070', path: '/ws' });

/** What is wrong with `document`, by the schema that the AsyncAPI initiative publishes. */
function complaints(document: JsonSchema): string[] {
  const path = createRequire(import.meta.url).resolve(
    '@asyncapi/specs/schemas/3.0.0-without-$id.json',
  );
  const ajv = new Ajv({ strict: false, logger: false, validateFormats: false });
  const validate = ajv.compile(JSON.parse(readFileSync(path, 'utf8')));
  if (validate(JSON.parse(JSON.stringify(document)))) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
}

/** References that lead nowhere. */
function deadReferences(document: unknown, root: unknown = document): string[] {
  if (typeof document !== 'object' || document === null) return [];
  const found = Object.values(document).flatMap((value) => deadReferences(value, root));
  if (!('$ref' in document) || typeof document.$ref !== 'string') return found;
  const target = document.$ref
    .split('/')
    .slice(1)
    .reduce<unknown>((at, name) => (at as JsonSchema | undefined)?.[name], root);
  return target === undefined ? [document.$ref, ...found] : found;
}

function messages(): { readonly [key: string]: { readonly payload: JsonSchema } } {
  return (DOCUMENT.components as JsonSchema).messages as never;
}

/** A validator for one message, with the document's schemas at hand. */
function accepts(key: string, frame: unknown): boolean {
  const ajv = new Ajv({ strict: false });
  const { components } = JSON.parse(JSON.stringify(DOCUMENT));
  return ajv.compile({ components, ...messages()[key]?.payload })(frame) === true;
}

test('the document fits the schema of AsyncAPI 3.0', () => {
  assert.deepEqual(complaints(DOCUMENT), []);
});

test('every summary is a sentence', () => {
  for (const [name, operation] of Object.entries(DOCUMENT.operations as JsonSchema)) {
    assert.match((operation as { readonly summary: string }).summary, /\.$/, name);
  }
});

test('a document that does not is found', () => {
  const operations = { ...(DOCUMENT.operations as JsonSchema), broken: { action: 'shout' } };
  assert.notDeepEqual(complaints({ ...DOCUMENT, operations }), []);
  assert.notDeepEqual(complaints({ ...DOCUMENT, asyncapi: '2.0.0' }), []);
  const { info: _, ...untitled } = DOCUMENT;
  assert.notDeepEqual(complaints(untitled), []);
});

test('every reference leads somewhere, and one that does not is found', () => {
  assert.deepEqual(deadReferences(JSON.parse(JSON.stringify(DOCUMENT))), []);
  assert.deepEqual(deadReferences({ a: [{ $ref: '#/b/c' }], b: { d: 1 } }), ['#/b/c']);
});

test('every method has an operation of its own, in the right direction and with its answers', () => {
  const operations = DOCUMENT.operations as { readonly [name: string]: JsonSchema };
  assert.deepEqual(
    Object.keys(operations),
    WIRE_METHODS.map(({ method }) => method),
  );
  assert.equal(operations.migrate_vma_setup?.action, 'receive');
  assert.equal(operations.invalidate?.action, 'send');
  assert.equal(operations.mirror_changed?.reply, undefined);
  for (const { method } of CLIENT_REQUESTS) assert.ok(operations[method]?.reply, method);
});

test('frames that the protocol knows fit their message, others do not', () => {
  const fault = {
    jsonrpc: '2.0',
    seq: 7,
    id: 3,
    method: 'hmm_range_fault',
    params: {
      subscription: 1,
      notifier_seq: 4,
      range: { first: 1, end: 2 },
      default_flags: 'fault',
    },
  };
  assert.ok(accepts('hmm_range_fault.request', fault));
  assert.ok(!accepts('hmm_range_fault.request', { ...fault, seq: 0 }));
  assert.ok(!accepts('hmm_range_fault.request', { ...fault, method: 'find_vma' }));
  assert.ok(!accepts('hmm_range_fault.request', { ...fault, params: { subscription: 1 } }));
  const moved = { jsonrpc: '2.0', seq: 9, id: 5, result: { src: [3, 0] } };
  assert.ok(accepts('migrate_vma_pages.result', moved));
  assert.ok(!accepts('migrate_vma_pages.result', { ...moved, result: { src: ['3'] } }));
});

test('the document names the host by which it was asked for', async () => {
  const app = fastify();
  addAsyncApiRoute(app, { version: '1.2.3', path: '/ws' });
  const headers = { host: 'lab.example:7070' };
  const answer = await app.inject({ url: '/asyncapi.json', headers });
  assert.match(String(answer.headers['content-type']), /^application\/json/);
  const { asyncapi, info, servers, channels } = answer.json();
  assert.deepEqual([asyncapi, info.version], ['3.0.0', '1.2.3']);
  assert.equal(servers.mmrace.host, 'lab.example:7070');
  assert.equal(channels.session.address, '/ws');
  await app.close();
});
