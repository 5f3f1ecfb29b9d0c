import { useSyncExternalStore } from 'preact/compat';
import { useMemo } from 'preact/hooks';
import type { PlayedClient, PlayerRole } from './player.ts';
import { playerOf } from './players.ts';

/** The client of this page by that name: joined when it is first looked at, and in the lab until it leaves for good. */
export function usePlayer(lab: string, name: string, role: PlayerRole): PlayedClient {
  const player = useMemo(() => playerOf(lab, name, role), [lab, name, role]);
  useSyncExternalStore(player.subscribe, player.version);
  return player;
}
