/** How phones come into a lab, for a terminal: an address that they reach, as a picture. */
import { networkInterfaces } from 'node:os';
import { renderUnicodeCompact } from 'uqr';

/** Hosts that only this machine reaches. */
const OWN_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]', '::1']);
const ANY_HOSTS: ReadonlySet<string> = new Set(['0.0.0.0', '[::]', '::']);

/** `url` is where the server listens. Returns the picture with its address, or how phones could be let in. */
export function joinPicture(url: string, code: string): string {
  if (isOwn(url)) {
    return 'Phones join with a QR code here, if they can reach this machine: npm start -- --host 0.0.0.0';
  }
  const link = `${reachable(url)}/join/${code}`;
  return `${renderUnicodeCompact(link)}\n${link}`;
}

/** Whether only this machine reaches it. */
export function isOwn(url: string): boolean {
  return OWN_HOSTS.has(new URL(url).hostname);
}

/** The same, as others on the network type it. */
export function reachable(url: string): string {
  const { hostname, port } = new URL(url);
  return ANY_HOSTS.has(hostname) ? `http://${ownAddress()}:${port}` : url;
}

/** The first address of this machine on a network; loopback if it is on none. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  return (
    addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
  );
}
