/** The time of a lab: that of the clock on the wall, less the time for which it stood still. */
import type { Millis } from './lab-actor.ts';

export class LabClock {
  #wall: Millis = 0;
  #stood: Millis = 0;

  /** As it was at the last tick. */
  get now(): Millis {
    return this.#wall - this.#stood;
  }

  /** `wall` only moves forwards. What has passed since the last tick counts only if the lab `goes`. */
  tick(wall: Millis, lab: 'goes' | 'stands'): void {
    if (lab === 'stands') this.#stood += wall - this.#wall;
    this.#wall = wall;
  }

  /** The time of the lab at `wall`, which is not before the last tick. */
  at(wall: Millis, lab: 'goes' | 'stands'): Millis {
    return lab === 'stands' ? this.now : wall - this.#stood;
  }
}
