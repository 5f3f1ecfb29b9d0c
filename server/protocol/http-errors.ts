/** Every way in which an HTTP request can fail, as a word; HttpError is the body that says so. */
import { type Static, Type } from 'typebox';
import { strict } from '../abi/scalars.ts';
import type { Errno } from '../vocabulary/errno.ts';
import { HTTP_BODY_BYTES_MAX, HTTP_REQUESTS_MAX, RUNS_KEPT_MAX } from './http-api.ts';
import { LABS_MAX, LABS_PER_ADDRESS_MAX } from './limits.ts';

export interface HttpErrorCode {
  readonly status: number;
  readonly errno: Errno;
  readonly meaning: string;
  readonly remedy: string;
}

export const HTTP_ERROR_CODES = {
  'bad-request': {
    status: 400,
    errno: 'EINVAL',
    meaning: 'The request does not fit the schema of the route, or is not JSON.',
    remedy: 'Correct what `what` names. GET /docs describes every route.',
  },
  'token-needed': {
    status: 401,
    errno: 'EACCES',
    meaning: 'The server has a token, and the request did not show it.',
    remedy:
      'Send authorization: Bearer TOKEN, or open the page at the address with #token= that the server prints; ' +
      'to take part in a lab its join code is enough.',
  },
  'presenter-only': {
    status: 403,
    errno: 'EPERM',
    meaning: 'The lab is locked, or the action is for its presenter alone.',
    remedy:
      'Send the presenterToken that POST /api/labs answered: authorization: Bearer <presenterToken>.',
  },
  'wrong-host': {
    status: 421,
    errno: 'EPERM',
    meaning: 'The server is not known by the host name that the request was sent to.',
    remedy: 'Use localhost or an IP address, or start the server with --public-host NAME.',
  },
  'foreign-page': {
    status: 403,
    errno: 'EPERM',
    meaning: 'The request comes from a page of another origin.',
    remedy: 'Use the page that this server itself serves, or a program that sends no Origin.',
  },
  'not-found': {
    status: 404,
    errno: 'ENOENT',
    meaning: 'There is nothing at this address.',
    remedy: 'GET /docs lists the routes.',
  },
  'no-such-lab': {
    status: 404,
    errno: 'ENOENT',
    meaning: 'This server has no lab of this name or code.',
    remedy: 'GET /api/labs lists them; POST /api/labs opens one.',
  },
  'no-such-code': {
    status: 404,
    errno: 'ENOENT',
    meaning:
      'No lab here has this join code. It may have ended: an empty lab is closed after a minute.',
    remedy: 'Look at the presenter’s screen again; GET /api/labs lists the labs that are open.',
  },
  'no-such-actor': {
    status: 404,
    errno: 'ENOENT',
    meaning: 'No actor of the lab has this name.',
    remedy: 'GET /api/labs/{lab} lists its actors.',
  },
  'no-such-performance': {
    status: 404,
    errno: 'ENOENT',
    meaning:
      'The lab was not asked to have this performed, or it is so long ago that it is forgotten.',
    remedy: 'Use the `performanceId` that the answer to a perform has.',
  },
  'nothing-to-undo': {
    status: 409,
    errno: 'EAGAIN',
    meaning: 'Nothing has been done before that moment, or a client is in the middle of it.',
    remedy: 'Let what is under way end, or begin anew.',
  },
  'nothing-follows': {
    status: 409,
    errno: 'EAGAIN',
    meaning:
      'Nothing has been done after that moment, so there is nothing to be tried in another order.',
    remedy: 'Choose an earlier event.',
  },
  'no-such-cue': {
    status: 409,
    errno: 'EAGAIN',
    meaning: 'That cue is not next, or is not for this player.',
    remedy: 'Look at which cue is next, and whose it is.',
  },
  'vote-over': {
    status: 409,
    errno: 'EAGAIN',
    meaning: 'The room is asked something else by now.',
    remedy: 'Look at what is asked, and say it again.',
  },
  'bad-recording': {
    status: 422,
    errno: 'EINVAL',
    meaning:
      'This is no recording of a lab, or it does not lead where it led: another version of mmrace wrote it, ' +
      'or it was changed.',
    remedy: 'Use a file that `mmrace serve --record` of this version has written.',
  },
  'no-code-here': {
    status: 403,
    errno: 'EPERM',
    meaning:
      'This server runs no code that a request brings: others reach it, and it has no token.',
    remedy: 'Use a server on this machine, or `mmrace explore --patch FILE`.',
  },
  'too-far-back': {
    status: 409,
    errno: 'ENOENT',
    meaning: 'What led to that moment is not kept here; `what` says why.',
    remedy:
      'Begin anew; from there on every step can be undone. With `serve --record` a lab can always go back.',
  },
  'not-away': {
    status: 409,
    errno: 'EBUSY',
    meaning:
      'The client of this name is connected: no session is taken from a client that is there.',
    remedy: 'Cut it off first, or choose another name.',
  },
  'no-such-task': {
    status: 409,
    errno: 'EAGAIN',
    meaning: 'The task cannot go next: it waits, has ended, or never was; or no task can go.',
    remedy: 'Choose one that GET /api/labs/{lab} shows as ready.',
  },
  'not-paused': {
    status: 409,
    errno: 'EBUSY',
    meaning: 'The lab runs; only a paused lab is stepped.',
    remedy: 'Send {"action":"pause"} first.',
  },
  'no-such-scenario': {
    status: 404,
    errno: 'ENOENT',
    meaning: 'No scenario of this name ships with this server.',
    remedy:
      'GET /api/scenarios lists them. Files of your own are for the command line: mmrace explore.',
  },
  'no-such-patch': {
    status: 404,
    errno: 'ENOENT',
    meaning: 'No patch of this name ships with this server.',
    remedy:
      'GET /api/patches lists them. Files of your own are for the command line: mmrace explore.',
  },
  'bad-choice': {
    status: 400,
    errno: 'EINVAL',
    meaning:
      'What was chosen does not fit: parameters, drivers, or a scenario or token of your own.',
    remedy: 'GET /api/scenarios shows the parameters and devices of each.',
  },
  'lab-exists': {
    status: 409,
    errno: 'EEXIST',
    meaning: 'A lab of this name is open.',
    remedy: 'Choose another name, or leave it out and get one.',
  },
  'too-many-labs': {
    status: 429,
    errno: 'ENOMEM',
    meaning: `The server has ${LABS_MAX} labs, or your address has opened ${LABS_PER_ADDRESS_MAX}: it takes no more.`,
    remedy: 'Use one of those that GET /api/labs lists, or wait until an empty one is closed.',
  },
  'too-many-requests': {
    status: 429,
    errno: 'EAGAIN',
    meaning: `Your address has sent more than ${HTTP_REQUESTS_MAX} requests within a second.`,
    remedy:
      'Ask again a second later, and less often: GET /api/labs/{lab}/events streams what happens.',
  },
  'under-pressure': {
    status: 503,
    errno: 'EAGAIN',
    meaning: 'The server has more to do than it can keep up with, or too little memory left.',
    remedy: 'Ask again in a few seconds; GET /metrics has what it is busy with.',
  },
  'too-many-listeners': {
    status: 429,
    errno: 'ENOMEM',
    meaning: 'The server has as many event streams open as it takes.',
    remedy: 'Close one, or watch over WebSocket: mmrace observe.',
  },
  'not-recorded': {
    status: 404,
    errno: 'ENOENT',
    meaning: 'These events are no longer in memory, and the server records nothing.',
    remedy: 'Ask for later ones, or start the server with --record DIR.',
  },
  'events-removed': {
    status: 410,
    errno: 'ENOENT',
    meaning: 'What the recording had of that time was removed, as --keep says.',
    remedy: 'Ask for later ones.',
  },
  'too-many-histories': {
    status: 429,
    errno: 'EAGAIN',
    meaning: 'As many requests wait for older events as the server takes.',
    remedy: 'Ask again in a few seconds.',
  },
  'no-such-run': {
    status: 404,
    errno: 'ENOENT',
    meaning: `There is no run of this id, or no longer: only the last ${RUNS_KEPT_MAX} are kept.`,
    remedy: 'POST /api/runs starts it again; the same question has the same answer.',
  },
  'run-not-done': {
    status: 409,
    errno: 'EAGAIN',
    meaning: 'The run has no verdict yet, or was cancelled, or failed.',
    remedy: 'GET /api/runs/{id} until its state is "done".',
  },
  'too-many-runs': {
    status: 429,
    errno: 'EAGAIN',
    meaning: 'As many runs wait as the server takes.',
    remedy: 'Ask again when one of them is done, or cancel one: DELETE /api/runs/{id}.',
  },
  'method-not-allowed': {
    status: 405,
    errno: 'EINVAL',
    meaning: 'The address exists, but not for this method.',
    remedy: 'Use one of the methods that the Allow header names.',
  },
  'too-large': {
    status: 413,
    errno: 'EOVERFLOW',
    meaning: `The body is longer than ${HTTP_BODY_BYTES_MAX} bytes.`,
    remedy: 'Send less.',
  },
  'not-json': {
    status: 415,
    errno: 'EPROTO',
    meaning: 'The body is not announced as JSON.',
    remedy: 'Send content-type: application/json.',
  },
  'actor-failed': {
    status: 409,
    errno: 'EIO',
    meaning: 'The actor was asked, and could not.',
    remedy: 'Look at `what`: it has the words of the actor.',
  },
  'insufficient-storage': {
    status: 507,
    errno: 'ENOSPC',
    meaning: 'The server could not write the recording that the lab needs.',
    remedy: 'Tell the owner of the server to look at its disk; GET /readyz says what is wrong.',
  },
  moved: {
    status: 307,
    errno: 'EAGAIN',
    meaning: 'Another server has the lab.',
    remedy: 'Send the same request to the address in `location`.',
  },
  'unknown-campaign': {
    status: 404,
    errno: 'ENOENT',
    meaning: 'There is no such campaign in the Redis of this server.',
    remedy: 'GET /api/campaigns lists those there are.',
  },
  stalled: {
    status: 503,
    errno: 'EAGAIN',
    meaning: 'What the server records cannot be written at this moment, so its labs stand still.',
    remedy: 'Ask again in a second; its owner finds the reason at /readyz.',
  },
  restoring: {
    status: 503,
    errno: 'EAGAIN',
    meaning: 'The lab is being led to where an earlier server left it.',
    remedy: 'Ask again in a second.',
  },
  'lab-damaged': {
    status: 409,
    errno: 'EIO',
    meaning: 'What the lab was cannot be restored here.',
    remedy:
      'GET /api/labs/{lab} says why. Its presenter may delete it; the files stay in the folder of recordings.',
  },
  going: {
    status: 503,
    errno: 'EAGAIN',
    meaning: 'The server is ending and takes no new work.',
    remedy: 'Ask again in a few seconds.',
  },
  internal: {
    status: 500,
    errno: 'EIO',
    meaning: 'The server found a bug of its own; its log has it under the request id.',
    remedy: 'Report it with the x-request-id of the answer.',
  },
} as const satisfies Record<string, HttpErrorCode>;

export type HttpErrorName = keyof typeof HTTP_ERROR_CODES;

export const HttpError = strict({
  error: strict({
    code: Type.String({ description: 'a word of the table of error codes' }),
    errno: Type.String({ description: 'the errno that a system call would have set' }),
    message: Type.String({ description: 'one sentence: what is wrong' }),
    what: Type.String({ description: 'the part of the request that is wrong, or empty' }),
    remedy: Type.String({ description: 'one sentence: what to do' }),
  }),
});
export type HttpError = Static<typeof HttpError>;
