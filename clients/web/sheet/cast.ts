/** Who plays which role of a run sheet: who has been given it, who sits on its seat, else the first who is free. */
import type { LabSheet } from '../../../server/protocol/run-sheet.ts';
import { byName } from '../memory/columns.ts';
import type { Cast } from './cue-progress.ts';

interface Player {
  readonly name: string;
  readonly role: 'device' | 'cpu';
}

export function seatedCast(
  sheet: LabSheet,
  players: readonly Player[],
  given: { readonly [role: string]: string },
): Cast {
  const free = new Map(
    players.toSorted((a, b) => byName(a.name, b.name)).map((player) => [player.name, player]),
  );
  const cast = new Map<string, string>();
  const take = (role: string, name: string | undefined): void => {
    if (name === undefined || cast.has(role) || !free.delete(name)) return;
    cast.set(role, name);
  };
  for (const { role } of sheet.cast) take(role, given[role]);
  for (const { role, actor } of sheet.cast) {
    take(
      role,
      [...free.keys()].find((name) => isSeatOf(name, actor)),
    );
  }
  for (const { role, plays = kindOf(sheet, role) } of sheet.cast) {
    if (plays === 'this seat') continue;
    take(role, [...free.values()].find((player) => player.role === plays)?.name);
  }
  return cast;
}

/** `{mover}` becomes the player's name; a role that is free keeps its own. */
export function spoken(text: string, cast: Cast, called = itself): string {
  return text.replace(/\{([a-z]+)\}/g, (_, role: string) => {
    const actor = cast.get(role);
    return actor === undefined ? `the ${role}` : called(actor);
  });
}

/** Seats are called as the actor, with a number behind where there may be several. */
function isSeatOf(name: string, actor: string): boolean {
  return name === actor || (name.startsWith(actor) && /^\d+$/.test(name.slice(actor.length)));
}

/** Who could have a role of the sheet that nobody has; 'none' if all are taken. */
export function missingIn(sheet: LabSheet, cast: Cast): Player['role'] | 'none' {
  const missing = sheet.cast.find(({ role }) => !cast.has(role));
  if (missing === undefined) return 'none';
  const { plays = kindOf(sheet, missing.role) } = missing;
  return plays === 'this seat' ? 'cpu' : plays;
}

function kindOf({ cues }: LabSheet, role: string): Player['role'] {
  const verbs = cues.filter((cue) => cue.role === role).flatMap((cue) => cue.do);
  return verbs.some((verb) => verb === 'load' || verb === 'store') ? 'cpu' : 'device';
}

function itself(actor: string): string {
  return actor;
}
