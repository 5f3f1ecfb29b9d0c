/** What a room is asked, and what it says: one voice for each actor, which may think again until it is taken. */
import type { ActorName } from '../machine/remote/inbound.ts';
import type { LabVote, VoteChoice } from '../protocol/lab-control.ts';

export class Ballot {
  #about = '';
  #asked: readonly VoteChoice[] = [];
  #round = 0;
  readonly #voices = new Map<ActorName, string>();

  /** Begins another round. Of nothing there is none. */
  ask(about: string, choices: readonly VoteChoice[]): void {
    this.#about = about;
    this.#asked = choices;
    this.#round += 1;
    this.#voices.clear();
  }

  /** 'late': that is not what is asked now. */
  say(actor: ActorName, round: number, choice: string): 'counted' | 'late' {
    const isAsked = this.#asked.some((each) => each.choice === choice);
    if (round !== this.#round || !isAsked) return 'late';
    this.#voices.set(actor, choice);
    return 'counted';
  }

  gone(actor: ActorName): void {
    this.#voices.delete(actor);
  }

  seen(): LabVote | 'none' {
    if (this.#asked.length === 0) return 'none';
    const counts: { [choice: string]: number } = {};
    for (const choice of this.#voices.values()) counts[choice] = (counts[choice] ?? 0) + 1;
    return { round: this.#round, about: this.#about, choices: [...this.#asked], counts };
  }
}
