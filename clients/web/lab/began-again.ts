/** What a person who watches is told when the history on the page begins again. */

export interface Beginning {
  /** The last event that the page had. */
  readonly last: number;
  /** The last event that the lab has now. */
  readonly n: number;
  /** 'over': the session before ended, and with it perhaps the server. 'same': it goes on. */
  readonly session: 'over' | 'same';
}

/** Empty if nothing was missed. */
export function beganAgain({ last, n, session }: Beginning): string {
  if (n === last) return '';
  if (n > last) {
    return `${n - last} events went by unseen: the page begins again from event ${n}.`;
  }
  const anew = 'The lab began anew: another machine runs under the same name.';
  // A server that kept nothing opens an empty lab for the first client that asks.
  return session === 'same'
    ? anew
    : `${anew} If the server was started again, what the lab held is gone: make it again from its scenario ` +
        '(mmrace serve --record DIR --restore keeps labs).';
}
