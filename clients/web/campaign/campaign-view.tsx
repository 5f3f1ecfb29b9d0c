import type { CampaignAnswer, CampaignQuestionAnswer } from '../../../server/protocol/http-api.ts';
import { MatrixTable } from '../matrix/matrix-table.tsx';
import { serverApi } from '../server-api.ts';
import { Link } from '../shell/link.tsx';
import { useLoaded } from '../shell/loaded.ts';
import { TopBar } from '../shell/top-bar.tsx';
import { WorkersTable } from './workers-table.tsx';

const LOOK_MS = 1_000;

/** One campaign while it is answered: how far it is, by whom, and the matrix as it fills. */
export function CampaignView({ id }: { readonly id: string }) {
  const [loaded] = useLoaded(() => serverApi.campaign(id), LOOK_MS);
  return (
    <div className="page">
      <TopBar />
      <main className="content stack">
        <h1>Campaign {id}</h1>
        {loaded.state === 'loading' ? <p className="working quiet">Asking the server</p> : null}
        {loaded.state === 'failed' ? <p className="note alarm">{loaded.why}</p> : null}
        {loaded.state === 'there' ? <Campaign answer={loaded.value} /> : null}
        <p>
          <Link to={{ view: 'campaigns' }}>All campaigns</Link>
        </p>
      </main>
    </div>
  );
}

function Campaign({ answer }: { readonly answer: CampaignAnswer }) {
  const { campaign, workers, paused, aside, questions } = answer;
  const { id, state, units, left, by, began } = campaign;
  const isOver = state === 'done' || state === 'cancelled';
  return (
    <>
      <p className="lead" aria-live="polite">
        {state}: {(units - left).toLocaleString('en')} of {units.toLocaleString('en')} units
        {isOver ? '' : `, ${speedOf(answer)}`}
      </p>
      <progress max={units} value={units - left} aria-label="Units answered" />
      <p className="quiet">
        {by}, {began}. In a terminal:{' '}
        <code>
          mmrace campaign {isOver ? 'show' : 'watch'} {id}
        </code>
      </p>
      {paused === '' || isOver ? null : <p className="note alarm">Paused: {paused}</p>}
      {aside.map(({ unit, why }) => (
        <p key={unit} className="note alarm">
          Set aside: unit {unit}: {why}
        </p>
      ))}
      <WorkersTable workers={workers} model={campaign.model} />
      {questions.map((question) => (
        <Question key={question.words} question={question} />
      ))}
    </>
  );
}

function Question({ question }: { readonly question: CampaignQuestionAnswer }) {
  const { words, units, answered, found, matrix } = question;
  return (
    <section className="stack">
      <h2>{words}</h2>
      <p>
        {answered.toLocaleString('en')} of {units.toLocaleString('en')} units answered;{' '}
        {found === 0 ? 'nothing went wrong so far' : `something went wrong in ${found}`}.
      </p>
      {matrix.length === 0 ? null : <MatrixTable report={{ matrix }} />}
    </section>
  );
}

/** `12.3 units a second, 7 to 9 s left`. */
function speedOf({ rate, secondsLeft }: CampaignAnswer): string {
  const left =
    secondsLeft === null
      ? 'time left unknown'
      : `${Math.floor(secondsLeft.least)} to ${Math.ceil(secondsLeft.most)} s left`;
  return `${rate.toFixed(1)} units a second, ${left}`;
}
