/** The clients that this page plays. They outlive the view: a player who goes to watch the lab is still in it. */
import { PlayedClient, type PlayerRole } from './player.ts';

/** As a name: the lab gives one. */
export const ANY_NAME = 'auto';

const players = new Map<string, PlayedClient>();

function keyOf(lab: string, name: string, role: PlayerRole): string {
  return `${lab}\n${role}\n${name}`;
}

/** The client of this name, joined if it is not yet. With ANY_NAME another one, once the lab has named the last. */
export function playerOf(lab: string, name: string, role: PlayerRole): PlayedClient {
  const key = keyOf(lab, name, role);
  const known = players.get(key);
  if (known !== undefined) return known;
  const player = new PlayedClient(lab, name, role);
  players.set(key, player);
  player.named = (given) => {
    if (given === name) return;
    players.delete(key);
    players.set(keyOf(lab, given, role), player);
  };
  player.start();
  return player;
}

/** Those of this page that are in the lab. */
export function playersIn(lab: string): PlayedClient[] {
  return [...players.values()].filter((player) => player.lab === lab);
}

/** Leaves for good: gives back what it holds first. */
export async function leaveLab(player: PlayedClient): Promise<void> {
  for (const [key, each] of players) if (each === player) players.delete(key);
  await player.leave();
}
