/** A session that is over and was not ended here: the message, and how the command ends. */
import { CLOSE_CODES } from '../../server/protocol/close-codes.ts';
import { type CallRefusal, sentences } from '../sdk/call-refusal.ts';
import { type ClosedWhy, closedSentence } from '../sdk/connection-state.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

/** One sentence: what has happened, and what to do. */
export function endedSentence(closed: ClosedWhy, url: string): string {
  switch (closed.why) {
    case 'ended':
      return 'left';
    case 'unreachable':
      return `no server answers at ${url}: start one with npx mmrace serve, or say where it is with --url`;
    case 'refused':
      return refusedSentence(closed.refusal, url);
    case 'lost':
      if (closed.code === CLOSE_CODES.going.code) {
        return `the server at ${url} has ended: start it again with npx mmrace serve, and join again`;
      }
      return Object.values(CLOSE_CODES).some(({ code }) => code === closed.code)
        ? closedSentence(closed)
        : `the server at ${url} is gone, and did not come back in time: ` +
            'start it again with npx mmrace serve, and join again';
  }
}

function refusedSentence(refusal: CallRefusal, url: string): string {
  switch (refusal.code) {
    case 'bad-resume':
      return `the server at ${url} has been started anew and does not know this session: join again`;
    case 'name-taken':
      return 'the lab has an actor of this name already: choose another with --name';
    default:
      return `the server at ${url} refused: ${sentences(refusal)}`;
  }
}

export function endedExit(closed: ClosedWhy): ExitCode {
  if (closed.why === 'ended') return EXIT.OK;
  const going = closed.why === 'lost' && closed.code === CLOSE_CODES.going.code;
  return going ? EXIT.OK : EXIT.UNAVAILABLE;
}
