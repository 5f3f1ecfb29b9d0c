/** Where a thread is that does not get on: asked of the debugger, since the thread itself cannot answer any more. */
import { Session } from 'node:inspector';
import { fileURLToPath } from 'node:url';

export interface Place {
  readonly function: string;
  readonly file: string;
  readonly line: number;
}

/** A thread inside a native function cannot be stopped; then nothing is known. */
const ANSWER_WITHIN_MS = 5_000;

/** The functions that run in the thread, innermost first; empty if it does not answer. The thread goes on behind it. */
export async function whereStuck(threadId: number): Promise<readonly Place[]> {
  const session = new Session();
  session.connect();
  try {
    return await stopped(session, threadId);
  } finally {
    session.post('NodeWorker.disable');
    session.disconnect();
  }
}

interface Paused {
  readonly method?: string;
  readonly params?: {
    readonly scriptId?: string;
    readonly url?: string;
    readonly callFrames?: readonly {
      readonly functionName: string;
      readonly location: { readonly scriptId: string; readonly lineNumber: number };
    }[];
  };
}

function stopped(session: Session, threadId: number): Promise<readonly Place[]> {
  return new Promise((resolve) => {
    const files = new Map<string, string>();
    const timer = setTimeout(() => resolve([]), ANSWER_WITHIN_MS);
    let asked = '';
    const send = (sessionId: string, method: string): void => {
      const message = JSON.stringify({ id: 1, method });
      session.post('NodeWorker.sendMessageToWorker', { sessionId, message });
    };
    session.on('NodeWorker.attachedToWorker', ({ params }) => {
      // Its id is one of the session's own; only the title has the thread's.
      if (!params.workerInfo.title.startsWith(`[worker ${threadId}]`)) return;
      asked = params.sessionId;
      send(asked, 'Debugger.enable');
      send(asked, 'Debugger.pause');
    });
    session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
      if (params.sessionId !== asked) return;
      const { method, params: details } = JSON.parse(params.message) as Paused;
      if (method === 'Debugger.scriptParsed')
        files.set(details?.scriptId ?? '', details?.url ?? '');
      if (method !== 'Debugger.paused') return;
      clearTimeout(timer);
      // A thread that stands still cannot be ended.
      send(asked, 'Debugger.disable');
      const frames = details?.callFrames ?? [];
      resolve(
        frames.map(({ functionName, location }) => ({
          function: functionName,
          file: pathOf(files.get(location.scriptId) ?? ''),
          line: location.lineNumber + 1,
        })),
      );
    });
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  });
}

function pathOf(url: string): string {
  return url.startsWith('file:') ? fileURLToPath(url.replace(/\?.*$/, '')) : url;
}
