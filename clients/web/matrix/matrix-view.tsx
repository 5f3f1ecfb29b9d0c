import { useState } from 'preact/hooks';
import type { CatalogueReport } from '../../../server/report/catalogue.ts';
import { TopBar } from '../shell/top-bar.tsx';
import { MatrixTable } from './matrix-table.tsx';
import { readReport } from './read-report.ts';
import { ReportedShapes } from './reported-shapes.tsx';

const EXAMPLE = 'mmrace shapes --patch ./mine.ts --json > matrix.json';

/** The catalogue of shapes as a matrix: operation against operation. The file stays in the browser. */
export function MatrixView() {
  const [report, setReport] = useState<CatalogueReport | 'none'>('none');
  const [trouble, setTrouble] = useState('');
  const open = async (file: File) => {
    const read = readReport(await file.text());
    setTrouble(read === 'none' ? `${file.name} is not what mmrace shapes --json prints.` : '');
    if (read !== 'none') setReport(read);
  };
  return (
    <div className="page">
      <TopBar />
      <main className="content stack">
        <h1>The catalogue of shapes</h1>
        <p className="lead">
          Each pair of operations on each kind of memory, as <code>{EXAMPLE}</code> has asked.
        </p>
        <label className="card">
          <span className="label">A report: matrix.json</span>
          <input
            type="file"
            accept=".json,application/json"
            onChange={({ currentTarget: { files } }) => {
              const [file] = files ?? [];
              if (file !== undefined) open(file).catch(() => setTrouble('It cannot be read.'));
            }}
          />
        </label>
        {trouble === '' ? null : (
          <p className="note alarm" role="alert">
            {trouble}
          </p>
        )}
        {report === 'none' ? null : <Report report={report} />}
      </main>
    </div>
  );
}

function Report({ report }: { readonly report: CatalogueReport }) {
  const { after, before, kernel, verdict, asked, shapes, notTried } = report;
  const compared = after === before ? after : `${after}, before it ${before}`;
  const left = [...notTried.operations, ...notTried.features];
  return (
    <>
      <h2>
        {verdict}: {compared} on {kernel}
      </h2>
      <p>
        {asked.toLocaleString('en')} of {shapes.toLocaleString('en')} shapes asked,{' '}
        {notTried.beyondBudget.toLocaleString('en')} of them not to the end.
      </p>
      <MatrixTable report={report} />
      <ReportedShapes title="Smallest in which it went wrong" shapes={report.found} />
      <ReportedShapes title="Not known to the end" shapes={report.unknown} />
      <p className="quiet">Not tried: {left.join('; ')}.</p>
    </>
  );
}
