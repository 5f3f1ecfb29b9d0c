import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { Player, type PlayerRole } from './player.ts';

/** Plays a client for as long as the component is there. */
export function usePlayer(lab: string, name: string, role: PlayerRole): Player {
  const player = useMemo(() => new Player(lab, name, role), [lab, name, role]);
  useEffect(() => {
    player.start();
    return () => player.stop();
  }, [player]);
  useSyncExternalStore(player.subscribe, player.version);
  return player;
}
