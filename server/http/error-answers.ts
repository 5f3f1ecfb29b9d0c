/** Every answer that is not a 2xx: one body for all of them, with what to do. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isStorageFailure } from '../live/storage-failure.ts';
import { HTTP_BODY_BYTES_MAX } from '../protocol/http-api.ts';
import { bodyOf, HttpFailure } from './http-failure.ts';

/** Seconds after which it is worth asking again. */
const RETRY_AFTER_SECONDS = 2;
const TRY_AGAIN: readonly number[] = [429, 503];

export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const failure = failureOf(error);
    if (failure.code === 'internal') request.log.error({ err: error }, 'a route has thrown');
    return answerFailure(reply, failure);
  });
}

export function answerFailure(reply: FastifyReply, failure: HttpFailure): FastifyReply {
  if (TRY_AGAIN.includes(failure.status)) reply.header('retry-after', RETRY_AFTER_SECONDS);
  return reply
    .code(failure.status)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(bodyOf(failure));
}

function failureOf(error: FastifyError): HttpFailure {
  if (error instanceof HttpFailure) return error;
  if (isStorageFailure(error)) return new HttpFailure('insufficient-storage', error.code ?? '');
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new HttpFailure('too-large', `body: expected at most ${HTTP_BODY_BYTES_MAX} bytes`);
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new HttpFailure('not-json', 'content-type: expected application/json');
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new HttpFailure('bad-request', 'body: expected one JSON value');
    default:
      break;
  }
  const status = error.statusCode ?? 500;
  return status >= 400 && status < 500
    ? new HttpFailure('bad-request', error.message)
    : new HttpFailure('internal', '');
}

/** The token behind `authorization: Bearer`, or empty. */
export function bearerOf(request: FastifyRequest): string {
  return /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}
