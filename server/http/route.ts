/** What a route says of itself: fastify checks it, and the document shows it. */
import type { RouteShorthandOptions } from 'fastify';
import type { Type } from 'typebox';
import { HttpError } from '../protocol/http-errors.ts';

export interface RouteWords {
  /** One sentence. */
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly params?: Type.TSchema;
  readonly querystring?: Type.TSchema;
  readonly headers?: Type.TSchema;
  readonly body?: Type.TSchema;
  /** By status. */
  readonly answers: { readonly [status: number]: Type.TSchema };
  /** Content types of an answer that is no JSON, by status. */
  readonly produces?: readonly string[];
}

export function route(words: RouteWords): RouteShorthandOptions {
  const { answers, ...rest } = words;
  return { schema: { ...rest, response: { ...answers, '4xx': HttpError, '5xx': HttpError } } };
}
