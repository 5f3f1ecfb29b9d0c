import { useMemo, useState } from 'react';
import { renderSVG } from 'uqr';
import type { LabDetail } from '../../../server/protocol/http-api.ts';
import { CopyButton } from '../explain/explain-panel.tsx';
import { addressOfRoute } from '../route.ts';
import { recall, remember } from '../shell/memory.ts';

/** Hosts that only this machine reaches. */
const OWN_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]']);

/** How others join: a code to type, a picture to scan, a link to send. */
export function JoinPanel({ detail }: { readonly detail: LabDetail }) {
  const [origin, setOrigin] = useState(() => recall('origin') || location.origin);
  const link = `${origin}${addressOfRoute({ view: 'join', code: detail.code })}`;
  const picture = useMemo(() => renderSVG(link, { border: 1 }), [link]);
  const isOwn = URL.canParse(origin) && OWN_HOSTS.has(new URL(origin).hostname);
  return (
    <div className="stack">
      <div>
        <h2>Code</h2>
        <p className="big-code" data-testid="join-code">
          {detail.code}
        </p>
      </div>
      {/* biome-ignore lint/security/noDangerouslySetInnerHtml: made here, from a link that it encodes in squares. */}
      <div className="qr" role="img" aria-label={`QR code of ${link}`} dangerouslySetInnerHTML={{ __html: picture }} />
      <div className="row">
        <code style={{ overflowWrap: 'anywhere' }}>{link}</code>
        <CopyButton text={link} />
      </div>
      {isOwn ? (
        <div className="note warn">
          Phones do not reach <code>{new URL(origin).host}</code>. Start the server with{' '}
          <code>--host 0.0.0.0</code> and open this page by the machine's own address, or type that
          address here.
        </div>
      ) : null}
      <label>
        <span className="label">Address that the link begins with</span>
        <input
          value={origin}
          spellCheck={false}
          onChange={({ target }) => {
            setOrigin(target.value);
            remember('origin', target.value === location.origin ? '' : target.value);
          }}
        />
      </label>
      <div>
        <h2>From a terminal</h2>
        <pre>{`npx mmrace device --lab ${detail.name} --name gpu7`}</pre>
      </div>
      <Seats detail={detail} />
    </div>
  );
}

/** The places that the lab's scenario has, and what each is to do. */
function Seats({ detail }: { readonly detail: LabDetail }) {
  if (detail.seats.length === 0) return null;
  return (
    <div className="stack">
      <h2>The scenario's parts</h2>
      {detail.seats.map(({ name, role, program, taken }) => (
        <div key={name}>
          <strong>
            {role === 'cpu' ? '▢' : '○'} {name}
          </strong>{' '}
          <span className={taken ? 'chip good' : 'chip'}>{taken ? 'taken' : 'free'}</span>
          <ol className="quiet mono">
            {program.map((line, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the same step may come twice, and none moves.
              <li key={at}>{line}</li>
            ))}
          </ol>
        </div>
      ))}
    </div>
  );
}
