/**
 * A page of any site may give its own name the address of this server (DNS rebinding): the browser then takes the two
 * for one origin. What it cannot do is to send another name than its own, so only names that are known are answered.
 */
import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { HttpFailure } from './http-failure.ts';

/** Throws in a hook: HttpFailure. `names`: beside localhost and IP addresses. */
export function refuseUnknownHosts(app: FastifyInstance, names: readonly string[]): void {
  app.addHook('onRequest', async ({ headers: { host } }) => {
    if (!isKnownHost(host, names)) throw new HttpFailure('wrong-host', `host: ${host ?? 'none'}`);
  });
}

/** `host` is that of a request, with or without its port. */
export function isKnownHost(host: string | undefined, names: readonly string[]): boolean {
  if (host === undefined) return false;
  const name = host.replace(/:\d+$/, '').replace(/\.$/, '').toLowerCase();
  if (name === 'localhost' || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0) return true;
  return names.some((known) => known.toLowerCase() === name);
}
