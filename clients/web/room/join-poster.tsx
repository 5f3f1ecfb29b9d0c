import type { LabDetail } from '../../../server/protocol/http-api.ts';
import { QrCode } from '../lobby/qr-code.tsx';
import { joinLink } from './join-link.ts';

/** Room for this many is drawn; more are a number. */
const SEATS_DRAWN = 20;

/** Where to point a phone, and whether it works: the count moves. */
export function JoinPoster({ detail }: { readonly detail: LabDetail }) {
  const link = joinLink(detail.code);
  const here = detail.actors.filter(({ role }) => role === 'device').map(({ name }) => name);
  const drawn = Array.from({ length: SEATS_DRAWN }, (_, at) => here[at] ?? `free ${at}`);
  return (
    <section className="poster" aria-label="How to join">
      <QrCode text={link} />
      <div>
        <h2>
          Your phone
          <br />
          becomes a device
        </h2>
        <p className="code" data-testid="join-code">
          {detail.code}
        </p>
        <p className="address">{link.replace(/^https?:\/\//, '').replace(/\/join\/.*/, '')}</p>
        <p className="count">
          <b data-testid="here">{here.length}</b> {here.length === 1 ? 'is here' : 'are here'}
        </p>
        <p className="seats" aria-hidden="true">
          {drawn.map((name, at) => (
            <i key={name} className={at < here.length ? 'taken' : ''} />
          ))}
        </p>
      </div>
    </section>
  );
}
