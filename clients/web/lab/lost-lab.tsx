import { useState } from 'preact/hooks';
import { sentenceOf, serverApi } from '../server-api.ts';
import { Link } from '../shell/link.tsx';
import { keepPresenterToken } from '../shell/memory.ts';
import { goTo } from '../shell/navigation.ts';
import { TopBar } from '../shell/top-bar.tsx';
import type { SessionStatus } from './reconnecting.ts';

export interface LostLabProps {
  readonly lab: string;
  readonly status: Extract<SessionStatus, { state: 'refused' }>;
}

/** A lab that is not there any more, or not for us: in words, and with a way on. */
export function LostLab({ lab, status }: LostLabProps) {
  const { title, why, isGone } = wordsOf(lab, status.code, status.why);
  const [trouble, setTrouble] = useState('');
  const make = async () => {
    try {
      const { lab: made, presenterToken } = await serverApi.openLab({ name: lab });
      keepPresenterToken(made.name, presenterToken);
      goTo({ view: 'console', lab: made.name });
    } catch (error) {
      setTrouble(sentenceOf(error));
    }
  };
  return (
    <div className="page">
      <TopBar />
      <main className="content stack">
        <h1>{title}</h1>
        <p className="lead">{why}</p>
        {trouble === '' ? null : (
          <p className="note alarm" role="alert">
            {trouble}
          </p>
        )}
        <div className="row">
          <Link to={{ view: 'home' }} className="button primary">
            To the list of labs
          </Link>
          {isGone ? (
            <button type="button" onClick={() => make().catch(() => undefined)}>
              Make a lab of this name
            </button>
          ) : null}
        </div>
      </main>
    </div>
  );
}

interface LostWords {
  readonly title: string;
  readonly why: string;
  readonly isGone: boolean;
}

function wordsOf(lab: string, code: string, why: string): LostWords {
  switch (code) {
    case 'no-such-lab':
      return {
        title: `This server does not know the lab ${lab}`,
        why: 'It was closed, or the server was started again without it. Ask for a new code.',
        isGone: true,
      };
    case 'lab-closed':
      return {
        title: 'The presenter closed this lab',
        why: 'All its players have left, and what you held went with it.',
        isGone: false,
      };
    case 'lab-lost':
      return {
        title: 'This server does not know the lab any more',
        why: 'It was started again without it. What you held went with it.',
        isGone: true,
      };
    case 'dismissed':
      return {
        title: 'The presenter sent you out of this lab',
        why: 'Your seat is free for another player. You can watch, or ask for another one.',
        isGone: false,
      };
    case 'lab-full':
      return {
        title: `${lab} is full`,
        why: 'There is no room for another player. You can watch, or wait until a player leaves.',
        isGone: false,
      };
    default:
      return { title: `No way into ${lab}`, why, isGone: false };
  }
}
