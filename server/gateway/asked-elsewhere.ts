/** A hello whose lab is looked for among other servers: what its connection sends meanwhile waits. */
import type { Busy } from './connection.ts';

type Flow = Parameters<Busy['stop']>[0];

export class AskedElsewhere implements Busy {
  busy = true;
  readonly #later: (() => void)[] = [];
  readonly #stopped = new Set<Flow>();

  stop(link: Flow): void {
    this.#stopped.add(link);
    link.flow('stopped');
  }

  inTurn(act: () => void): void {
    if (this.busy) this.#later.push(act);
    else act();
  }

  /** What waits is done, in order. */
  answered(): void {
    this.busy = false;
    for (const act of this.#later.splice(0)) act();
    for (const link of this.#stopped) link.flow('free');
  }
}
