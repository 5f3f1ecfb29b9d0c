import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { toggleSize, toggleTheme, useAppearance } from './appearance.ts';
import { keysInForce, useKeys } from './keys.ts';
import { Link } from './link.tsx';

/** The bar over every view: where one is, how the connection is, how it looks, and which keys there are. */
export function TopBar({ children }: { readonly children?: ComponentChildren }) {
  const { palette, size } = useAppearance();
  const help = useRef<HTMLDialogElement>(null);
  const [listed, setListed] = useState(keysInForce());
  const showHelp = () => {
    setListed(keysInForce());
    help.current?.showModal();
  };
  useKeys([
    { key: '?', shown: '?', does: 'list the keys', run: showHelp },
    { key: 't', shown: 'T', does: 'light or dark', run: toggleTheme },
    { key: 'b', shown: 'B', does: 'larger, for a room', run: toggleSize },
  ]);
  return (
    <header className="top">
      <Link to={{ view: 'home' }} className="wordmark">
        <Mark />
        <span className={children === undefined ? '' : 'spoken-narrow'}>mmrace</span>
      </Link>
      {children ?? <span className="spread" />}
      <Link to={{ view: 'explore', question: 'none' }} className="button hide-narrow">
        Explore
      </Link>
      <button
        type="button"
        className="hide-narrow"
        onClick={toggleSize}
        aria-pressed={size === 'room'}
      >
        Room
      </button>
      <button type="button" onClick={toggleTheme}>
        {palette.ground === '#101318' ? 'Light' : 'Dark'}
      </button>
      <button type="button" className="hide-narrow" onClick={showHelp} aria-label="Keys">
        ?
      </button>
      <dialog ref={help} aria-labelledby="keys-title">
        <div className="row">
          <h2 id="keys-title">Keys</h2>
          <span style={{ flex: 1 }} />
          <form method="dialog">
            <button type="submit">Close</button>
          </form>
        </div>
        <div className="keys">
          {listed.filter(isShown).map(({ key, shown, does }) => (
            <div key={key + does}>
              <span>
                <kbd>{shown}</kbd>
              </span>
              <span>{does}</span>
            </div>
          ))}
        </div>
        <p>
          <a href="/guide/PAGE.md">What there is on this page</a>
        </p>
      </dialog>
    </header>
  );
}

/** Some keys are told of by the row of another. */
function isShown({ shown }: { readonly shown: string }): boolean {
  return shown !== '';
}

/** Two lanes that cross into two frames. */
function Mark() {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <path
        d="M3 4v16M9 4v16M3 8l6 8"
        stroke="currentColor"
        stroke-width="2"
        fill="none"
        stroke-linecap="square"
      />
      <path d="M13 5h8v6h-8zM13 13h8v6h-8z" stroke="currentColor" stroke-width="2" fill="none" />
    </svg>
  );
}
