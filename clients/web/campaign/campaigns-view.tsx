import type { CampaignsAnswer } from '../../../server/protocol/http-api.ts';
import { serverApi } from '../server-api.ts';
import { Link } from '../shell/link.tsx';
import { useLoaded } from '../shell/loaded.ts';
import { TopBar } from '../shell/top-bar.tsx';
import { WorkersTable } from './workers-table.tsx';

const LOOK_MS = 2_000;

/** The campaigns in the Redis of this server, and who works on them. */
export function CampaignsView() {
  const [loaded] = useLoaded(serverApi.campaigns, LOOK_MS);
  return (
    <div className="page">
      <TopBar />
      <main className="content stack">
        <h1>Campaigns</h1>
        <p className="lead">
          Questions for many workers at once: <code>mmrace campaign run</code> begins one,{' '}
          <code>mmrace work</code> answers.
        </p>
        {loaded.state === 'loading' ? <p className="working quiet">Asking the server</p> : null}
        {loaded.state === 'failed' ? <p className="note alarm">{loaded.why}</p> : null}
        {loaded.state === 'there' ? <Campaigns answer={loaded.value} /> : null}
      </main>
    </div>
  );
}

function Campaigns({ answer }: { readonly answer: CampaignsAnswer }) {
  if (answer.redis === 'none') {
    return (
      <p className="note">This server has no Redis: start it with mmrace serve --redis URL.</p>
    );
  }
  if (answer.campaigns.length === 0) return <p className="quiet">There is none.</p>;
  return (
    <>
      <div className="table-frame">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">campaign</th>
              <th scope="col">state</th>
              <th scope="col">units answered</th>
              <th scope="col">by</th>
            </tr>
          </thead>
          <tbody>
            {answer.campaigns.map(({ id, state, units, left, by }) => (
              <tr key={id}>
                <th scope="row">
                  <Link to={{ view: 'campaign', id }}>{id}</Link>
                </th>
                <td>{state}</td>
                <td>
                  {(units - left).toLocaleString('en')} of {units.toLocaleString('en')}
                </td>
                <td>{by}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <WorkersTable workers={answer.workers} />
    </>
  );
}
