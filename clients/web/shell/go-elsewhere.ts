/** A page speaks with its own server alone: where another has its lab, the whole page goes there. */
import { serverAddress } from '../../../server/protocol/server-address.ts';
import { presenterToken, serverToken } from './memory.ts';

/** `webSocket` is where the other server takes WebSockets. What this browser keeps to be let in goes along. */
export function goElsewhere(webSocket: string, lab: string): void {
  const shown = new URLSearchParams();
  if (serverToken() !== '') shown.set('token', serverToken());
  if (presenterToken(lab) !== '') shown.set('presenter', presenterToken(lab));
  const brought = shown.size === 0 ? '' : `#${shown}`;
  location.replace(serverAddress(webSocket) + location.pathname + location.search + brought);
}
