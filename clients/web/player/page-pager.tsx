import { hexAddress, pageIndex } from '../../../server/vocabulary/address.ts';
import type { SeenVma } from '../model/vmas.ts';

export interface PagePagerProps {
  readonly vmas: readonly SeenVma[];
  readonly page: number;
  readonly onPage: (page: number) => void;
}

/** Pages that one can choose from in a list; of larger mappings the first ones. */
const PAGES_LISTED_MAX = 512;

/** Which page the buttons below are about: one thumb, two arrows, one list. */
export function PagePager({ vmas, page, onPage }: PagePagerProps) {
  const pages = pagesOf(vmas);
  const at = pages.indexOf(page);
  const step = (by: number) => {
    const next = pages[(at + by + pages.length) % Math.max(1, pages.length)];
    if (next !== undefined) onPage(next);
  };
  return (
    <div className="pager">
      <button
        type="button"
        onClick={() => step(-1)}
        aria-label="The page before"
        disabled={pages.length < 2}
      >
        ‹
      </button>
      <label>
        <span className="unseen">Page</span>
        <select
          className="mono"
          style={{ minHeight: '2.9rem', textAlign: 'center' }}
          value={page}
          onChange={({ currentTarget }) => onPage(Number(currentTarget.value))}
        >
          {page < 0 ? <option value={page}>no page</option> : null}
          {pages.map((each) => (
            <option key={each} value={each}>
              {hexAddress(pageIndex(each))}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        onClick={() => step(1)}
        aria-label="The next page"
        disabled={pages.length < 2}
      >
        ›
      </button>
    </div>
  );
}

export function pagesOf(vmas: readonly SeenVma[]): number[] {
  const pages: number[] = [];
  for (const { first, end } of vmas) {
    for (let page = first; page < end && pages.length < PAGES_LISTED_MAX; page += 1)
      pages.push(page);
  }
  return pages;
}
