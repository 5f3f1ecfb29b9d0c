import { type Static, Type } from 'typebox';
import { prose } from '../abi/prose.ts';
import { described, named, strict } from '../abi/scalars.ts';

/** Moments that a client keeps. */
export const MOMENTS_MAX = 64;

const count = Type.Integer({ minimum: 0 });

/** Where a client stands. Server and client count the same, so neither has to be told. */
export const ClientMoment = named(
  'client moment',
  strict({
    said: described(
      count,
      prose(`
        Requests, answers to the kernel and notifications that you have sent since you were attached, but for held and
        went_on.
      `),
    ),
    heard: described(count, 'Answers, questions of the kernel and page_free that came since then.'),
  }),
);
export type ClientMoment = Static<typeof ClientMoment>;
