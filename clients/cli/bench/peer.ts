/** One connection of a benchmark, raw or real: the loops that measure see no difference. */
export interface Peer {
  /** Sends one request; `done` is called when its answer has arrived and was read. Throws if it is refused. */
  roundTrip(done: () => void): void;
  close(): void;
}

/** Keeps `inFlight` round trips of each peer going for `ms` milliseconds. Returns how many came back. */
export function keepGoing(peers: readonly Peer[], inFlight: number, ms: number): Promise<number> {
  const until = performance.now() + ms;
  let back = 0;
  let open = 0;
  return new Promise((resolve) => {
    const start = (peer: Peer): void => {
      open += 1;
      peer.roundTrip(() => {
        back += 1;
        open -= 1;
        if (performance.now() < until) start(peer);
        else if (open === 0) resolve(back);
      });
    };
    for (const peer of peers) for (let at = 0; at < inFlight; at += 1) start(peer);
  });
}

/** As many round trips of one peer, one after the other, as fit into `ms` milliseconds; at least one. */
export function oneByOne(peer: Peer, ms: number): Promise<number> {
  return keepGoing([peer], 1, ms);
}
