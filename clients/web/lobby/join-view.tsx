import { useMemo, useState } from 'react';
import type { LabDetail } from '../../../server/protocol/http-api.ts';
import { kernelLabel } from '../../../server/report/lines/kernel-label.ts';
import { serverApi } from '../server-api.ts';
import { Link } from '../shell/link.tsx';
import { useLoaded } from '../shell/loaded.ts';
import { recall, remember } from '../shell/memory.ts';
import { goTo } from '../shell/navigation.ts';
import { TopBar } from '../shell/top-bar.tsx';

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** How somebody comes into a lab: as a device, as a CPU thread, or to watch. */
export function JoinView({ code }: { readonly code: string }) {
  const [found, reload] = useLoaded(() => serverApi.lab(code));
  return (
    <div className="page">
      <TopBar />
      <main className="content stack" style={{ maxWidth: '34rem' }}>
        {found.state === 'loading' ? <h1 className="working">Looking for {code}</h1> : null}
        {found.state === 'failed' ? (
          <>
            <h1>No lab has the code {code}</h1>
            <p className="lead">{found.why}</p>
            <div className="row">
              <button type="button" onClick={reload}>
                Try again
              </button>
              <Link to={{ view: 'home' }} className="button">
                To the list of labs
              </Link>
            </div>
          </>
        ) : null}
        {found.state === 'there' ? <Choices lab={found.value} /> : null}
      </main>
    </div>
  );
}

function Choices({ lab }: { readonly lab: LabDetail }) {
  const free = lab.seats.filter(({ taken }) => !taken);
  const taken = useMemo(() => new Set(lab.actors.map(({ name }) => name)), [lab]);
  const [name, setName] = useState(() => unusedName(taken));
  const problem = nameProblem(name, taken);
  const enter = (view: 'device' | 'cpu', actor: string) => {
    if (actor === name) remember('name', name);
    goTo({ view, lab: lab.name, actor });
  };
  return (
    <>
      <h1>Join {lab.name}</h1>
      <p className="quiet">
        Kernel: <strong>{kernelLabel(lab)}</strong>. In it now:{' '}
        {lab.actors.length === 0 ? 'nobody' : lab.actors.map((actor) => actor.name).join(', ')}.
      </p>
      {free.length === 0 ? null : (
        <section className="stack" aria-label="Parts that are free">
          <h2>Take a part of the scenario</h2>
          {free.map(({ name: seat, role, program }) => (
            <button
              key={seat}
              type="button"
              onClick={() => enter(role, seat)}
              style={{ justifyContent: 'start', minHeight: '3rem' }}
            >
              {role === 'cpu' ? '▢' : '○'} {seat}
              <span className="quiet mono" style={{ fontWeight: 400, textAlign: 'left' }}>
                {program.join('; ')}
              </span>
            </button>
          ))}
        </section>
      )}
      <section className="stack" aria-label="Join under a name of your own">
        <h2>Or come as somebody else</h2>
        <label>
          <span className="label">Your name in the lab</span>
          <input
            value={name}
            autoComplete="off"
            spellCheck={false}
            maxLength={64}
            aria-describedby="name-problem"
            aria-invalid={problem !== ''}
            onChange={({ target }) => setName(target.value)}
          />
        </label>
        <p id="name-problem" className="quiet" style={{ minHeight: '1.5em' }}>
          {problem}
        </p>
        <button
          type="button"
          className="primary"
          style={{ minHeight: '3.2rem' }}
          disabled={problem !== ''}
          onClick={() => enter('device', name)}
        >
          ○ Be a device
        </button>
        <button
          type="button"
          style={{ minHeight: '3.2rem' }}
          disabled={problem !== ''}
          onClick={() => enter('cpu', name)}
        >
          ▢ Be a CPU thread
        </button>
        <Link to={{ view: 'lab', lab: lab.name, event: 'live', hand: 'off' }} className="button">
          Only watch
        </Link>
      </section>
    </>
  );
}

function nameProblem(name: string, taken: ReadonlySet<string>): string {
  if (!NAME.test(name)) return 'Letters, digits, _ . - and a letter or digit first.';
  return taken.has(name) ? 'Somebody in the lab has this name already.' : '';
}

function unusedName(taken: ReadonlySet<string>): string {
  const before = recall('name');
  if (before !== '' && !taken.has(before)) return before;
  for (let number = 0; ; number += 1) {
    const name = `gpu${number}`;
    if (!taken.has(name)) return name;
  }
}
