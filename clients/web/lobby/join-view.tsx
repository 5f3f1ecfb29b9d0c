import { useState } from 'preact/hooks';
import type { LabDetail } from '../../../server/protocol/http-api.ts';
import { ANY_NAME, playersIn } from '../player/players.ts';
import { RequestFailed, serverApi } from '../server-api.ts';
import { missingIn, seatedCast } from '../sheet/cast.ts';
import { Link } from '../shell/link.tsx';
import { useLoaded } from '../shell/loaded.ts';
import { recall, remember } from '../shell/memory.ts';
import { goTo } from '../shell/navigation.ts';
import { TopBar } from '../shell/top-bar.tsx';
import { CodeField } from './code-field.tsx';
import { labName } from './lab-name.ts';
import { typedCode } from './typed-code.ts';

/** How a person comes into a lab: one tap, and the lab says under which name. */
export function JoinView({ code: asked }: { readonly code: string }) {
  const code = typedCode(asked);
  const [found, reload] = useLoaded(() => serverApi.lab(code));
  return (
    <div className="page">
      <TopBar />
      <main className="content stack join">
        {found.state === 'loading' ? <h1 className="working">Looking for {code}</h1> : null}
        {found.state === 'failed' ? (
          <>
            <h1>No lab has the code {code}</h1>
            <p className="lead">{whyNot(found.error)}</p>
            <CodeField />
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

function whyNot(error: unknown): string {
  if (error instanceof RequestFailed && error.code === 'unreachable') return error.message;
  return 'Look at the code again: five signs, with no O, I, S or vowels. Or the lab is closed.';
}

function Choices({ lab }: { readonly lab: LabDetail }) {
  const [text, setText] = useState(() => recall('name'));
  const name = labName(text);
  const enter = (view: 'device' | 'cpu') => {
    remember('name', text.trim());
    const taken = lab.actors.some((actor) => actor.name === name);
    goTo({ view, lab: lab.name, actor: name === '' || taken ? ANY_NAME : name });
  };
  const here = lab.actors.length;
  const [mine] = playersIn(lab.name);
  const { sheet } = lab;
  const wanted =
    sheet === null ? 'none' : missingIn(sheet, seatedCast(sheet, lab.actors, lab.cast));
  return (
    <>
      <h1>{lab.sheet?.title ?? lab.name}</h1>
      <p className="quiet">
        {here === 0 ? 'No player is here yet.' : `${here} ${here === 1 ? 'is' : 'are'} here.`}
      </p>
      {mine === undefined ? null : (
        <Link
          to={{ view: mine.role, lab: lab.name, actor: mine.name }}
          className="button primary big"
        >
          Back to {mine.name}
        </Link>
      )}
      {wanted === 'cpu' ? (
        <button type="button" className="primary big" onClick={() => enter('cpu')}>
          ▢ Be a CPU thread
        </button>
      ) : null}
      <button
        type="button"
        className={wanted === 'cpu' ? 'big' : 'primary big'}
        onClick={() => enter('device')}
      >
        ○ Be a device
      </button>
      <Link to={{ view: 'stage', lab: lab.name }} className="button big">
        Only watch
      </Link>
      <details>
        <summary>A name of my own, or a CPU thread</summary>
        <div className="stack">
          <label>
            <span className="label">Your name in the lab</span>
            <input
              value={text}
              autoComplete="off"
              spellcheck={false}
              maxLength={40}
              placeholder="the lab gives you one"
              onInput={({ currentTarget }) => setText(currentTarget.value)}
            />
          </label>
          <p className="quiet" style={{ minHeight: '1.5em' }}>
            {text.trim() === '' || name === text.trim()
              ? ''
              : `You will be called ${name || 'by a number'}.`}
          </p>
          <button type="button" onClick={() => enter('cpu')}>
            ▢ Be a CPU thread
          </button>
        </div>
      </details>
    </>
  );
}
