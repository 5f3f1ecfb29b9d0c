/** What happens while the user types, gathered for a moment so that a flood stays readable. */

/** 'news' of others may be folded when there is much of it; what concerns the person's own hand never is. */
export interface Notice {
  readonly kind: 'news' | 'own' | 'alarm';
  readonly text: string;
}

/** Lines of news shown of one batch. */
const NEWS_MAX = 10;
/** Milliseconds that notices are gathered. */
export const GATHER_MS = 40;

export class Notices {
  readonly #show: (notices: readonly Notice[]) => void;
  readonly #gatherMs: number;
  #gathered: Notice[] = [];
  #timer: NodeJS.Timeout | 'none' = 'none';

  constructor(show: (notices: readonly Notice[]) => void, gatherMs = GATHER_MS) {
    this.#show = show;
    this.#gatherMs = gatherMs;
  }

  add(notice: Notice): void {
    this.#gathered.push(notice);
    if (this.#timer === 'none') this.#timer = setTimeout(() => this.flush(), this.#gatherMs);
  }

  flush(): void {
    if (this.#timer !== 'none') clearTimeout(this.#timer);
    this.#timer = 'none';
    const gathered = this.#gathered;
    this.#gathered = [];
    if (gathered.length > 0) this.#show(folded(gathered));
  }
}

function folded(notices: readonly Notice[]): readonly Notice[] {
  let news = 0;
  const kept = notices.filter(({ kind }) => {
    if (kind !== 'news') return true;
    news += 1;
    return news <= NEWS_MAX;
  });
  const left = news - NEWS_MAX;
  return left > 0
    ? [...kept, { kind: 'news', text: `... and ${left} more: log shows them` }]
    : kept;
}
