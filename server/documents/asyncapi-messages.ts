/** The frames of one method as AsyncAPI messages: the JSON-RPC envelope around params, result or error. */
import { type JsonSchema, plainSchema, type SchemaShelf, shelfKey } from './plain-schema.ts';
import { isNotification, type WireMethod } from './wire-methods.ts';

/** A message of the document, under the key that references use. */
export interface Message {
  readonly key: string;
  readonly message: JsonSchema;
}

const JSONRPC = { const: '2.0' };
const SEQ = {
  type: 'integer',
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Numbers the frames of this direction for the life of the session.',
};
const REQUEST_ID = {
  type: 'integer',
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Of your choice; of no other request of yours that has no answer yet.',
};
const QUESTION_ID = {
  anyOf: [
    { type: 'integer', minimum: 0 },
    { type: 'string', maxLength: 32 },
  ],
  description: 'Repeat it in the answer as it came.',
};
const ERROR = { $ref: `#/components/schemas/${shelfKey('error')}` };
const CORRELATION = { location: '$message.payload#/id' };

/** What is sent and answered for `method`. Named schemas that it meets are put on the shelf. */
export function messagesOf(method: WireMethod, shelf: SchemaShelf): Message[] {
  const { method: name } = method;
  const call = { method: { const: name }, params: plainSchema(method.spec.params, shelf) };
  if (isNotification(method)) {
    return [message(name, `${name}: a notification`, envelope(call), method.spec.sends)];
  }
  const id = method.kind === 'request' ? REQUEST_ID : QUESTION_ID;
  const result = plainSchema(method.spec.result, shelf);
  return [
    message(
      `${name}.request`,
      `${name}: the ${method.kind}`,
      envelope({ id, ...call }),
      method.spec.sends,
      CORRELATION,
    ),
    message(
      `${name}.result`,
      `${name}: its result`,
      envelope({ id, result }),
      method.spec.answers,
      CORRELATION,
    ),
  ];
}

export const ERROR_MESSAGES: readonly Message[] = [
  message(
    'error',
    'The server refuses. The id is null where the error belongs to no request.',
    envelope({ id: { anyOf: [REQUEST_ID, { type: 'null' }] }, error: ERROR }),
    'no-pages',
    CORRELATION,
  ),
  message(
    'client-error',
    'A client could not do what a question asked. data.errno is looked at, if it is there.',
    envelope({ id: QUESTION_ID, error: ERROR }),
    'no-pages',
    CORRELATION,
  ),
];

function envelope(members: JsonSchema): JsonSchema {
  const properties = { jsonrpc: JSONRPC, seq: SEQ, ...members };
  return {
    type: 'object',
    additionalProperties: false,
    required: Object.keys(properties),
    properties,
  };
}

function message(
  key: string,
  title: string,
  payload: JsonSchema,
  contents: 'no-pages' | 'pages',
  correlationId?: JsonSchema,
): Message {
  const binary = contents === 'pages';
  return {
    key,
    message: {
      name: key,
      title,
      contentType: binary ? 'application/octet-stream' : 'application/json',
      ...(binary ? { description: BINARY } : {}),
      payload,
      ...(correlationId === undefined ? {} : { correlationId }),
    },
  };
}

const BINARY =
  'A binary frame: u32 little-endian length of the JSON text; the JSON text, which the payload describes; then for ' +
  'each page a u16 little-endian length (at most 4096) and the page without its trailing zeros.';
