import { useState } from 'preact/hooks';
import type { RunEntry } from '../../../server/protocol/http-api.ts';
import { FORMAT_NAMES } from '../../../server/report/format-names.ts';
import { reportAddress, sentenceOf } from '../server-api.ts';

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

/** Opens a trace in ui.perfetto.dev: waits until its page answers, then hands the trace over. */
const PERFETTO = 'https://ui.perfetto.dev';
const PING_MS = 100;
/** Milliseconds after which Perfetto is taken for unreachable. */
const GIVE_UP_MS = 15_000;

/** Rejects if no window may be opened, or Perfetto does not answer: then the trace can be downloaded. */
function openInPerfetto(trace: ArrayBuffer, title: string, fileName: string): Promise<void> {
  const perfetto = window.open(PERFETTO);
  if (perfetto === null) {
    return Promise.reject(new Error('The browser opens no window. Download the trace instead.'));
  }
  return new Promise((resolve, reject) => {
    const ping = setInterval(() => perfetto.postMessage('PING', PERFETTO), PING_MS);
    const late = setTimeout(() => {
      end();
      reject(new Error('Perfetto does not answer. Download the trace and open it there later.'));
    }, GIVE_UP_MS);
    const answered = (event: MessageEvent) => {
      if (event.source !== perfetto || event.data !== 'PONG') return;
      end();
      perfetto.postMessage({ perfetto: { buffer: trace, title, fileName } }, PERFETTO);
      resolve();
    };
    const end = () => {
      clearInterval(ping);
      clearTimeout(late);
      removeEventListener('message', answered);
    };
    addEventListener('message', answered);
  });
}
