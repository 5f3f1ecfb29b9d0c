import type { Lab } from '../../server/live/lab.ts';

/** For whoever started the server: the address of a lab for the one who may lock its controls. */
export function presenterLine(url: string, { name, joinCode, presenter }: Lab): string {
  const page = `${url}/lab/${name}`;
  return `lab ${name}: join code ${joinCode}; its presenter opens ${page}#presenter=${presenter.token}`;
}
