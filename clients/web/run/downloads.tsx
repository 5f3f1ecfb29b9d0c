import { useState } from 'react';
import type { RunEntry } from '../../../server/protocol/http-api.ts';
import { FORMAT_NAMES } from '../../../server/report/format-names.ts';
import { reportAddress, sentenceOf } from '../server-api.ts';
import { openInPerfetto } from './perfetto.ts';

const TRACE = 'perfetto';

/** Every form of the report as a file, and the way to Perfetto. */
export function Downloads({ run }: { readonly run: RunEntry }) {
  const [trouble, setTrouble] = useState('');
  const toPerfetto = async () => {
    setTrouble('');
    try {
      const title = `mmrace ${run.question.scenario} ${run.question.patch ?? 'stock'}`;
      const response = await fetch(reportAddress(run.id, TRACE));
      await openInPerfetto(await response.arrayBuffer(), title, `${run.question.scenario}.json`);
    } catch (error) {
      setTrouble(sentenceOf(error));
    }
  };
  return (
    <div className="stack">
      <div className="row small">
        {FORMAT_NAMES.map((format) => (
          <a
            key={format}
            className="button small"
            href={reportAddress(run.id, format)}
            download={true}
          >
            {format}
          </a>
        ))}
      </div>
      <p>
        <button type="button" className="small" onClick={() => toPerfetto().catch(() => undefined)}>
          Open in Perfetto
        </button>
      </p>
      {trouble === '' ? null : (
        <p className="note warn" role="alert">
          {trouble}
        </p>
      )}
    </div>
  );
}
