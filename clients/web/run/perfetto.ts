/** Opens a trace in ui.perfetto.dev: waits until its page answers, then hands the trace over. */
const PERFETTO = 'https://ui.perfetto.dev';
const PING_MS = 100;
/** Milliseconds after which Perfetto is taken for unreachable. */
const GIVE_UP_MS = 15_000;

/** Rejects if no window may be opened, or Perfetto does not answer: then the trace can be downloaded. */
export function openInPerfetto(trace: ArrayBuffer, title: string, fileName: string): Promise<void> {
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
