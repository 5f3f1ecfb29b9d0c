/**
 * Events as lines for a terminal: number, actor, what happened. The columns stay where they are while a lab is watched;
 * a violation is marked in the margin and cannot be overlooked, with and without colours.
 */
import { styleText } from 'node:util';
import type { Event } from '../../../server/abi/event.ts';
import { describeBody } from '../../../server/report/describe-event.ts';

export type Colour = 'colour' | 'plain';

const MARGIN = { violation: '!!!', other: '   ' } as const;
const NUMBER_COLUMNS = 7;
const ACTOR_COLUMNS_MIN = 8;
/** A longer name is cut. */
const ACTOR_COLUMNS_MAX = 20;

/** Distinct on dark and on light ground; red is for violations alone. */
const ACTOR_COLOURS = [
  'cyan',
  'yellow',
  'magenta',
  'green',
  'blue',
  'cyanBright',
  'yellowBright',
  'magentaBright',
  'greenBright',
  'blueBright',
] as const;

export class EventColumns {
  readonly #colour: Colour;
  readonly #actors = new Map<string, (typeof ACTOR_COLOURS)[number]>();
  #actorColumns = ACTOR_COLUMNS_MIN;

  /** `actors` are those that are there already: the column is wide enough for them from the first line on. */
  constructor(colour: Colour, actors: readonly string[] = []) {
    this.#colour = colour;
    for (const actor of actors) this.#colourOf(actor);
  }

  line(event: Event): string {
    const colour = this.#colourOf(event.actor);
    const margin = event.kind === 'violation' ? MARGIN.violation : MARGIN.other;
    const number = String(event.n).padStart(NUMBER_COLUMNS);
    const actor = event.actor.slice(0, ACTOR_COLUMNS_MAX).padEnd(this.#actorColumns);
    const text = describeBody(event);
    if (this.#colour === 'plain') return `${margin}${number} ${actor} ${text}`;
    const options = { validateStream: false } as const;
    if (event.kind === 'violation') {
      return styleText(['bold', 'inverse', 'red'], `${margin}${number} ${actor} ${text}`, options);
    }
    return `${margin}${styleText('dim', number, options)} ${styleText(colour, `${actor} ${text}`, options)}`;
  }

  /** By the order in which they came: the first ones differ for certain. */
  #colourOf(actor: string): (typeof ACTOR_COLOURS)[number] {
    const known = this.#actors.get(actor);
    if (known !== undefined) return known;
    const colour = ACTOR_COLOURS[this.#actors.size % ACTOR_COLOURS.length] ?? 'cyan';
    this.#actors.set(actor, colour);
    const width = Math.min(actor.length, ACTOR_COLUMNS_MAX);
    this.#actorColumns = Math.max(this.#actorColumns, width);
    return colour;
  }
}
