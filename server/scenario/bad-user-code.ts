/** What a user's own code did wrong, as scenarios tell it. Reads no file: it runs where there are none, too. */
import { BadInput } from '../vocabulary/bad-input.ts';

/** A user's file, or what it does, cannot be used. `message` says which file, what is wrong, what would be right. */
export class BadUserCode extends BadInput {
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'BadUserCode';
  }
}

/** A user's loop that lets no other task run: an answer, with the place. */
export class EndlessLoop extends Error {
  /** `/home/me/mine.ts:12`. */
  readonly place: string;

  constructor(place: string, message: string, options: ErrorOptions) {
    super(message, options);
    this.name = 'EndlessLoop';
    this.place = place;
  }
}

/** Told when the kernel cannot go on, for it is what it got last. One thread runs one execution at a time. */
let saying: (() => string) | 'none' = 'none';

/** `say` is called only if the kernel cannot go on. */
export function noteReturn(say: () => string): void {
  saying = say;
}

/** What user code has returned last, with its place; 'none' if nothing has. */
export function lastReturn(): string | 'none' {
  return saying === 'none' ? saying : saying();
}
