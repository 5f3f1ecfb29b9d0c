/** The browser's address bar, as a Route. */
import { useSyncExternalStore } from 'preact/compat';
import { addressOfRoute, parseRoute, type Route } from '../route.ts';

const listeners = new Set<() => void>();
let route = parseRoute(location.pathname + location.search);

addEventListener('popstate', () => {
  route = parseRoute(location.pathname + location.search);
  for (const listener of listeners) listener();
});

export function useRoute(): Route {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => route,
  );
}

/** 'push' can be taken back with the browser's button; 'replace' is the same place, seen otherwise. */
export function goTo(next: Route, how: 'push' | 'replace' = 'push'): void {
  const address = addressOfRoute(next);
  if (how === 'push') history.pushState(null, '', address);
  else history.replaceState(null, '', address);
  route = next;
  if (how === 'push') scrollTo(0, 0);
  for (const listener of listeners) listener();
}
