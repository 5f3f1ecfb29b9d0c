/** What a fuzzed client has learnt from the server: numbers that the kernel knows, too, reach further than others. */
import type { Chance } from './chance.fixture.ts';

/** Values of one name that are remembered; older ones are forgotten. */
const KEPT_MAX = 64;
/** Under which name the values of another one are remembered. */
const SAME_AS: Readonly<Record<string, string>> = {
  pfns: 'pfn',
  frames: 'pfn',
  fault_page: 'pfn',
  notifier_seq: 'seq',
  invalidate_seq: 'seq',
};
/** Frames of private memory that are remembered of one answer to memremap_pages. */
const PRIVATE_REMEMBERED = 16;
const FLAG_BITS = 64;

export class Known {
  readonly #values = new Map<string, number[]>();
  /** How many pages the migration that was begun last has. */
  migrationPages = 1;

  /** Remembers each number of an answer, or of what was asked, by the name that it stands under. */
  learn(value: unknown, name = ''): void {
    if (typeof value === 'number') this.#add(SAME_AS[name] ?? name, value);
    else if (Array.isArray(value)) this.#learnAll(value, name);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, part] of Object.entries(value)) this.learn(part, key);
    }
  }

  #learnAll(values: readonly unknown[], name: string): void {
    if (name === 'src') this.migrationPages = values.length;
    // hmm pfns and migrate pfns have flags below the frame.
    const frames = name === 'src' || name === 'pfns';
    for (const one of values) {
      if (typeof one === 'number') this.#add('pfn', frames ? Math.floor(one / FLAG_BITS) : one);
      else this.learn(one, name);
    }
  }

  learnPrivate(first: number, count: number): void {
    for (let at = 0; at < Math.min(count, PRIVATE_REMEMBERED); at += 1) {
      this.#add('pfn', first + at);
    }
  }

  /** A value that was seen under this name; 'none' if there was none. */
  one(name: string, chance: Chance): number | 'none' {
    const values = this.#values.get(SAME_AS[name] ?? name);
    if (values === undefined) return 'none';
    // What was handed out last is what most calls are about.
    return chance.in100(60) ? (values.at(-1) ?? 'none') : chance.of(values);
  }

  #add(name: string, value: number): void {
    const values = this.#values.get(name);
    if (values === undefined) this.#values.set(name, [value]);
    else if (!values.includes(value)) {
      values.push(value);
      if (values.length > KEPT_MAX) values.shift();
    }
  }
}
