import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { PlayedClient, type PlayerRole } from './player.ts';

/** Plays a client for as long as the component is there. */
export function usePlayer(lab: string, name: string, role: PlayerRole): PlayedClient {
  const player = useMemo(() => new PlayedClient(lab, name, role), [lab, name, role]);
  useEffect(() => {
    player.start();
    return () => player.stop();
  }, [player]);
  useSyncExternalStore(player.subscribe, player.version);
  return player;
}
