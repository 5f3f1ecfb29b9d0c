/**
 * The protocol as an AsyncAPI 3.0 document, seen from the server: it receives what clients ask and notify, and sends
 * what it asks and notifies. One channel, because one WebSocket carries everything. Pure: GET /asyncapi.json serves it.
 */
import { CLOSE_CODES, OTHER_CLOSE_CODES } from '../protocol/close-codes.ts';
import { ERROR_CODES } from '../protocol/error-codes.ts';
import { SUBPROTOCOL } from '../protocol/limits.ts';
import { REFUSALS_OF_ANY_REQUEST } from '../protocol/request-spec.ts';
import { ROLES } from '../protocol/roles.ts';
import { ERROR_MESSAGES, type Message, messagesOf } from './asyncapi-messages.ts';
import { NAMED_SCHEMAS } from './named-schemas.ts';
import { type JsonSchema, type SchemaShelf, shelve } from './plain-schema.ts';
import { isNotification, WIRE_METHODS, type WireMethod } from './wire-methods.ts';

export interface AsyncApiOptions {
  /** Of the server. */
  readonly version: string;
  /** Host and port under which it is reached. */
  readonly host: string;
  /** `/ws` */
  readonly path: string;
}

/** A plain object, ready for JSON. */
export function asyncApi(options: AsyncApiOptions): JsonSchema {
  const shelf: SchemaShelf = new Map();
  for (const { title, schema } of NAMED_SCHEMAS) shelve(title, schema, shelf);
  const messages = [
    ...WIRE_METHODS.flatMap((method) => messagesOf(method, shelf)),
    ...ERROR_MESSAGES,
  ];
  return {
    asyncapi: '3.0.0',
    info: info(options.version),
    defaultContentType: 'application/json',
    servers: {
      mmrace: {
        host: options.host,
        protocol: 'ws',
        description: `WebSocket with the subprotocol ${SUBPROTOCOL}, without compression.`,
      },
    },
    channels: { session: channel(options.path, messages) },
    operations: Object.fromEntries(
      WIRE_METHODS.map((method) => [method.method, operation(method)]),
    ),
    components: {
      messages: Object.fromEntries(messages.map(({ key, message }) => [key, message])),
      schemas: Object.fromEntries([...shelf]),
    },
    'x-error-codes': Object.entries(ERROR_CODES).map(([word, code]) => ({ word, ...code })),
    'x-close-codes': Object.entries(CLOSE_CODES).map(([reason, code]) => ({ reason, ...code })),
    'x-other-close-codes': OTHER_CLOSE_CODES,
    'x-errors-of-any-request': REFUSALS_OF_ANY_REQUEST,
  };
}

function info(version: string): JsonSchema {
  return {
    title: 'mmrace',
    version,
    description:
      'A networked race laboratory for Linux memory management. JSON-RPC 2.0 in both directions, with one member ' +
      'more: seq numbers the frames of a direction. docs/PROTOCOL.md says in words what this document says in ' +
      'schemas, and what schemas cannot say.',
    license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    tags: ROLES.map((name) => ({ name, description: `What the role ${name} says or hears.` })),
  };
}

function channel(address: string, messages: readonly Message[]): JsonSchema {
  return {
    address,
    title: 'Session',
    description:
      'One WebSocket, one session: a hello, then frames in both directions. A lost connection is resumed by a hello ' +
      'on another one.',
    messages: Object.fromEntries(messages.map(({ key }) => [key, reference('messages', key)])),
    bindings: { ws: { method: 'GET', bindingVersion: '0.1.0' } },
  };
}

function operation(method: WireMethod): JsonSchema {
  const { kind, roles, spec } = method;
  const fromClient = kind === 'request' || kind === 'client-notification';
  const common = {
    action: fromClient ? 'receive' : 'send',
    channel: { $ref: '#/channels/session' },
    summary: firstSentence(spec.meaning),
    description: spec.meaning,
    tags: roles.map((name) => ({ name })),
  };
  if (isNotification(method)) {
    return { ...common, messages: [inChannel(method.method)] };
  }
  const error = kind === 'request' ? 'error' : 'client-error';
  return {
    ...common,
    messages: [inChannel(`${method.method}.request`)],
    reply: {
      channel: { $ref: '#/channels/session' },
      messages: [inChannel(`${method.method}.result`), inChannel(error)],
    },
    ...(kind === 'request' ? { 'x-errors': method.spec.errors } : {}),
  };
}

function inChannel(key: string): JsonSchema {
  return { $ref: `#/channels/session/messages/${key}` };
}

function reference(component: string, key: string): JsonSchema {
  return { $ref: `#/components/${component}/${key}` };
}

/** A sentence that goes on behind a colon ends there. */
function firstSentence(text: string): string {
  const [first = text] = /^.*?[.:](?=\s|$)/.exec(text) ?? [];
  return first.replace(/:$/, '.');
}
