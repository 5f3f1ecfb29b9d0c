import { useState } from 'react';
import type { LabDetail } from '../../../server/protocol/http-api.ts';
import { addressOfRoute } from '../route.ts';
import { CopyButton } from '../shell/copy-button.tsx';
import { recall, remember } from '../shell/memory.ts';
import { QrCode } from './qr-code.tsx';

/** Hosts that only this machine reaches. */
const OWN_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]']);

/** How others join: a code to type, a picture to scan, a link to send. */
export function JoinPanel({ detail }: { readonly detail: LabDetail }) {
  const [origin, setOrigin] = useState(() => recall('origin') || location.origin);
  const link = `${origin}${addressOfRoute({ view: 'join', code: detail.code })}`;
  const isOwn = URL.canParse(origin) && OWN_HOSTS.has(new URL(origin).hostname);
  return (
    <div className="stack">
      <div>
        <h2>Code</h2>
        <p className="big-code" data-testid="join-code">
          {detail.code}
        </p>
      </div>
      <QrCode text={link} />
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
        <pre
          style={{ whiteSpace: 'pre-wrap' }}
        >{`npx mmrace device --lab ${detail.name} --name gpu7`}</pre>
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
