import { useState } from 'preact/hooks';
import type { LabDetail } from '../../../server/protocol/http-api.ts';
import { CopyButton } from '../shell/copy-button.tsx';
import { remember } from '../shell/memory.ts';
import { isReachedByPhones, joinLink, joinOrigin } from './join-link.ts';

/** The link that phones come by, and what is wrong with it if they cannot. */
export function JoinAddress({ detail }: { readonly detail: LabDetail }) {
  const [origin, setOrigin] = useState(joinOrigin);
  return (
    <section className="stack" aria-label="The way in">
      <h2>The way in</h2>
      <p className="row">
        <code style={{ overflowWrap: 'anywhere' }}>{joinLink(detail.code)}</code>
        <CopyButton text={joinLink(detail.code)} />
      </p>
      {isReachedByPhones(origin) ? null : (
        <div className="note warn">
          Phones do not reach <code>{new URL(origin).host}</code>. Start the server with{' '}
          <code>--host 0.0.0.0</code> and open this page by the machine’s own address, or type that
          address here.
        </div>
      )}
      <label>
        <span className="label">Address that the link begins with</span>
        <input
          value={origin}
          spellcheck={false}
          onInput={({ currentTarget }) => {
            setOrigin(currentTarget.value);
            remember('origin', currentTarget.value === location.origin ? '' : currentTarget.value);
          }}
        />
      </label>
    </section>
  );
}
