import { useEffect } from 'preact/hooks';
import { goTo } from '../shell/navigation.ts';
import type { PlayedClient, PlayerRole } from './player.ts';

/** The address has the name that the lab has given: a reload comes back as the same. */
export function useNamedRoute(player: PlayedClient, view: PlayerRole): void {
  const { lab, name, status } = player;
  useEffect(() => {
    if (status.state !== 'live') return;
    const here = `/lab/${encodeURIComponent(lab)}/${view}/`;
    if (
      location.pathname.startsWith(here) &&
      location.pathname !== here + encodeURIComponent(name)
    ) {
      goTo({ view, lab, actor: name }, 'replace');
    }
  }, [lab, name, view, status.state]);
}
