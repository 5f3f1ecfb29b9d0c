import { useState } from 'preact/hooks';
import type { LabElsewhere, LabEntry } from '../../../server/protocol/http-api.ts';
import { CodeField } from '../lobby/code-field.tsx';
import { NewLabForm } from '../lobby/new-lab-form.tsx';
import { openRoom } from '../lobby/open-room.ts';
import { RequestFailed, sentenceOf, serverApi } from '../server-api.ts';
import { useKeys } from '../shell/keys.ts';
import { Link } from '../shell/link.tsx';
import { useLoaded } from '../shell/loaded.ts';
import { goTo } from '../shell/navigation.ts';
import { TopBar } from '../shell/top-bar.tsx';
import { RacePlayer } from './race-player.tsx';
import type { RecordedRace } from './recorded-race.ts';
import recorded from './seed-race.json' with { type: 'json' };
import './home.css';

const RACE = recorded as RecordedRace;
const SCENARIO = 'seed-zero-page';
const LOOK_MS = 2_000;

/** The argument itself, playing; then what one can do about it. */
export function HomeView() {
  useKeys([
    {
      key: 'c',
      shown: 'C',
      does: 'join by code',
      run: () => document.getElementById('code')?.focus(),
    },
    {
      key: 'x',
      shown: 'X',
      does: 'explore',
      run: () => goTo({ view: 'explore', question: 'none' }),
    },
  ]);
  return (
    <div className="page">
      <TopBar>
        <span className="spread" />
        <CodeField />
      </TopBar>
      <main className="home">
        <h1>The patch looked safe. Watch it lose a write.</h1>
        <p className="why">
          linux-mm, July 2020: “remove range invalidation in migrate_vma_pages()”.{' '}
          <span className="hide-narrow">Two devices, one page, one order, two kernels.</span>
        </p>
        <RacePlayer race={RACE} />
        <Ways />
        <dl className="words">
          <div>
            <dt>
              <i /> Page table entry
            </dt>
            <dd>Says where a page is. The CPU goes by it; it is the truth.</dd>
          </div>
          <div>
            <dt>
              <i className="mirror" /> Device mirror
            </dt>
            <dd>
              A device’s own copy of the entry. Right only as long as the device hears of changes.
            </dd>
          </div>
          <div>
            <dt>
              <i className="bracket" /> Invalidation
            </dt>
            <dd>
              From its start to its end the kernel sweeps all mirrors. After it, new ones are made.
            </dd>
          </div>
          <div>
            <dt>
              <i className="ghost" /> Stale mirror
            </dt>
            <dd>A ghost: it points to where the page was, and nothing will ever tell it.</dd>
          </div>
        </dl>
        <LabsHere />
      </main>
    </div>
  );
}

function Ways() {
  const [trouble, setTrouble] = useState('');
  const play = async () => {
    try {
      const patch = RACE.patched.patch;
      await openRoom({ scenario: SCENARIO, patch });
    } catch (error) {
      setTrouble(sentenceOf(error));
    }
  };
  return (
    <nav className="ways" aria-label="What to do now">
      <button type="button" onClick={() => play().catch(() => undefined)}>
        <strong>Play it in a room</strong>
        <span>Phones become devices. One code to join.</span>
      </button>
      <Link to={{ view: 'step', level: SCENARIO, moves: '', at: 0 }}>
        <strong>Step through it</strong>
        <span>Every step, both kernels, one numbering.</span>
      </Link>
      <Link to={{ view: 'break', level: SCENARIO, moves: '', room: '' }}>
        <strong>Try to break it</strong>
        <span>You are the scheduler. Beat the kernel.</span>
      </Link>
      <Link to={{ view: 'explore', question: 'none' }}>
        <strong>Ask about a patch</strong>
        <span>Holds, or the shortest way to break it.</span>
      </Link>
      {trouble === '' ? null : (
        <p className="note alarm" role="alert">
          {trouble}
        </p>
      )}
    </nav>
  );
}

/** The labs of this server, and the form for another one. */
function LabsHere() {
  const [labs] = useLoaded(serverApi.labs, LOOK_MS);
  return (
    <section className="columns labs-here">
      <div className="stack">
        <h2>Labs of this server</h2>
        {labs.state === 'failed' ? <NoLabs why={labs.why} error={labs.error} /> : null}
        <div className="labs">
          {labs.state === 'there'
            ? labs.value.labs.map((lab) => <LabLine key={lab.name} lab={lab} />)
            : null}
          {labs.state === 'there'
            ? labs.value.elsewhere.map((lab) => <LabElsewhereLine key={lab.name} lab={lab} />)
            : null}
        </div>
      </div>
      <NewLabForm />
    </section>
  );
}

function NoLabs({ why, error }: { readonly why: string; readonly error: unknown }) {
  if (!(error instanceof RequestFailed && error.code === 'token-needed'))
    return <p className="note alarm">{why}</p>;
  return (
    <p className="quiet">
      They are shown to those who open the address with the server’s token. With a code you are in:
      type it above.
    </p>
  );
}

/** A lab of another server: one goes there as a whole. */
function LabElsewhereLine({ lab: { name, code, address } }: { readonly lab: LabElsewhere }) {
  return (
    <article className="lab-entry" data-lab={name}>
      <div>
        <h3>{name}</h3>
        <p className="quiet">
          on {new URL(address).host} · code <span className="code">{code}</span>
        </p>
      </div>
      <div className="row">
        <a className="button" href={`${address}/lab/${encodeURIComponent(name)}/stage`}>
          Watch
        </a>
        <a className="button primary" href={`${address}/join/${code}`}>
          Join
        </a>
      </div>
    </article>
  );
}

function LabLine({ lab }: { readonly lab: LabEntry }) {
  const { name, code, state, why, kernel, patch, actors, paused } = lab;
  const devices = actors.filter(({ role }) => role === 'device').length;
  return (
    <article className="lab-entry" data-lab={name}>
      <div>
        <h3>
          {name} <span className="chip">{kernel}</span>{' '}
          <span className={patch === 'stock' ? 'chip' : 'chip warn'}>{patch}</span>{' '}
          {paused ? <span className="chip warn">❚❚ paused</span> : null}
          {state === 'open' ? null : <span className="chip warn">{state}</span>}
        </h3>
        {why === undefined ? null : <p className="quiet">{why}</p>}
        <p className="quiet">
          {devices} {devices === 1 ? 'device' : 'devices'} · {actors.length - devices} CPU · code{' '}
          <span className="code">{code}</span>
        </p>
      </div>
      <div className="row">
        <Link to={{ view: 'stage', lab: name }} className="button">
          Watch
        </Link>
        <Link to={{ view: 'join', code }} className="button primary">
          Join
        </Link>
      </div>
    </article>
  );
}
