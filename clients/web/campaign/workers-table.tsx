import type { CampaignWorker } from '../../../server/protocol/http-api.ts';

interface WorkersTableProps {
  readonly workers: readonly CampaignWorker[];
  /** Of the campaign that is looked at: workers of another one refuse it. */
  readonly model?: string;
}

export function WorkersTable({ workers, model }: WorkersTableProps) {
  if (workers.length === 0) return <p className="note">No worker is there.</p>;
  return (
    <div className="table-frame">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">worker</th>
            <th scope="col">threads busy</th>
            <th scope="col">units answered</th>
            <th scope="col">model</th>
          </tr>
        </thead>
        <tbody>
          {workers.map((worker) => (
            <tr key={worker.id}>
              <th scope="row">
                {worker.host}:{worker.pid}
              </th>
              <td>
                {worker.busy} of {worker.threads}
              </td>
              <td>{worker.units.toLocaleString('en')}</td>
              <td className="mono">
                {worker.model.slice(0, 8)}
                {model === undefined || model === worker.model ? '' : ', another: refuses this'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
