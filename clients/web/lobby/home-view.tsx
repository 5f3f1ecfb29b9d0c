import { useState } from 'react';
import type { LabEntry } from '../../../server/protocol/http-api.ts';
import { serverApi } from '../server-api.ts';
import { useKeys } from '../shell/keys.ts';
import { Link } from '../shell/link.tsx';
import { useLoaded } from '../shell/loaded.ts';
import { goTo } from '../shell/navigation.ts';
import { TopBar } from '../shell/top-bar.tsx';
import { NewLabForm } from './new-lab-form.tsx';

const LOOK_MS = 2_000;

/** The labs of this server, a way into each, and the form for a new one. */
export function HomeView() {
  const [labs, reload] = useLoaded(serverApi.labs, LOOK_MS);
  useKeys([
    {
      key: 'n',
      shown: 'N',
      does: 'a new lab',
      run: () => document.getElementById('new-lab')?.focus(),
    },
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
      <TopBar />
      <main className="content stack" style={{ gap: '1.8rem' }}>
        <div>
          <h1>Watch a race in memory management, join it, take it apart.</h1>
          <p className="lead quiet">
            Each lab is one simulated Linux address space. Everybody who joins is a device or a CPU
            thread of it; what they race on is really shared.
          </p>
        </div>
        <div className="columns">
          <section className="stack" aria-labelledby="labs-title">
            <h2 id="labs-title">Labs of this server</h2>
            <div className="stack" style={{ minHeight: '12rem' }}>
              {labs.state === 'loading' ? <p className="quiet working">Asking the server</p> : null}
              {labs.state === 'failed' ? (
                <div className="note alarm stack">
                  <p>{labs.why}</p>
                  <p>
                    <button type="button" onClick={reload}>
                      Try again
                    </button>
                  </p>
                </div>
              ) : null}
              {labs.state === 'there' && labs.value.labs.length === 0 ? (
                <p className="note">There is no lab. Open one beside this list.</p>
              ) : null}
              <div className="labs">
                {labs.state === 'there'
                  ? labs.value.labs.map((lab) => <LabLine key={lab.name} lab={lab} />)
                  : null}
              </div>
            </div>
          </section>
          <div className="stack" style={{ gap: '1.5rem' }}>
            <JoinByCode />
            <NewLabForm />
          </div>
        </div>
        <section className="card stack" aria-labelledby="explore-title">
          <h2 id="explore-title">Or ask for a verdict</h2>
          <p>
            The same kernel and the same drivers, searched over every order of events that matters:
            is this patch safe, and if not, what is the shortest way to break it?
          </p>
          <p>
            <Link to={{ view: 'explore', question: 'none' }} className="button primary">
              Explore a scenario
            </Link>
          </p>
        </section>
      </main>
    </div>
  );
}

function LabLine({ lab }: { readonly lab: LabEntry }) {
  const { name, code, state, why, kernel, patch, scenario, actors, events, paused } = lab;
  const devices = actors.filter(({ role }) => role === 'device').length;
  const facts = [
    `${devices} ${devices === 1 ? 'device' : 'devices'}`,
    `${actors.length - devices} CPU`,
    `${events.toLocaleString('en')} events`,
    ...(scenario === null ? [] : [`from ${scenario}`]),
  ];
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
        <p className="quiet">{facts.join(' · ')}</p>
        <p className="quiet">
          code <span className="code">{code}</span>
        </p>
      </div>
      <div className="stack" style={{ gap: '0.4rem' }}>
        <Link to={{ view: 'lab', lab: name, event: 'live', hand: 'on' }} className="button primary">
          Open
        </Link>
        <Link to={{ view: 'join', code }} className="button">
          Join
        </Link>
      </div>
    </article>
  );
}

function JoinByCode() {
  const [code, setCode] = useState('');
  return (
    <form
      className="stack card"
      onSubmit={(event) => {
        event.preventDefault();
        if (code.trim() !== '') goTo({ view: 'join', code: code.trim() });
      }}
    >
      <h2>Join by code</h2>
      <div className="row" style={{ flexWrap: 'nowrap' }}>
        <input
          id="code"
          className="code"
          value={code}
          placeholder="5 signs"
          aria-label="Join code"
          autoCapitalize="characters"
          autoComplete="off"
          spellCheck={false}
          onChange={({ target }) => setCode(target.value)}
        />
        <button type="submit" className="primary">
          Join
        </button>
      </div>
    </form>
  );
}
