import type { Lab } from '../../server/live/lab.ts';
import { reachable } from './join-picture.ts';

/** For the owner of the server: the address of a lab for the one who may lock its controls. */
export function presenterLine(url: string, { name, joinCode, presenter }: Lab): string {
  const page = `${url}/lab/${name}/console`;
  return `lab ${name}: join code ${joinCode}; its presenter opens ${page}#presenter=${presenter.token}`;
}

/** Of a server that has a token, or that others reach: where, and who may do what. `url` is where it listens. */
export function tokenLine(url: string, token: string | 'none'): string {
  const at = reachable(url);
  return token === 'none'
    ? `others reach it at ${at} and may open labs and start runs: it has no token`
    : `open ${at}/#token=${token} to open labs, list them and start runs; others need the code of a lab`;
}
