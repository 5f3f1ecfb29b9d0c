/** Who may control a lab: every client, or while it is locked the owner of the presenter's token. */
import { randomBytes, timingSafeEqual } from 'node:crypto';

const TOKEN_BYTES = 18;

export class Presenter {
  /** Secret. */
  readonly token: string;
  #state: 'locked' | 'open' = 'open';

  constructor(token: string | 'new' = 'new') {
    this.token = token === 'new' ? randomBytes(TOKEN_BYTES).toString('base64url') : token;
  }

  get state(): 'locked' | 'open' {
    return this.#state;
  }

  lock(): void {
    this.#state = 'locked';
  }

  unlock(): void {
    this.#state = 'open';
  }

  /** Whether `token` is the presenter's. */
  is(token: string): boolean {
    const [shown, own] = [Buffer.from(token), Buffer.from(this.token)];
    return shown.length === own.length && timingSafeEqual(shown, own);
  }

  mayControl(token: string): boolean {
    return this.#state === 'open' || this.is(token);
  }
}
