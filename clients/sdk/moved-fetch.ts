/** Servers in a row that send a request on to another. */
const MOVES_MAX = 8;

/**
 * As fetch(); what another server has is asked there, with all that was to be shown: fetch() itself leaves the token
 * out where the address changes. Not for browsers, which do not say where an answer sends them.
 */
export async function movedFetch(url: string, init: RequestInit = {}): Promise<Response> {
  let at = url;
  for (let move = 0; ; move += 1) {
    const response = await fetch(at, { ...init, redirect: 'manual' });
    const location = response.status === 307 ? response.headers.get('location') : null;
    if (location === null || move === MOVES_MAX) return response;
    at = new URL(location, at).href;
  }
}
