/** The prompt: a line, an answer, a line, until the user leaves or the server is gone. */
import type { Readable, Writable } from 'node:stream';
import { kernelLabel } from '../../../server/report/lines/kernel-label.ts';
import type { ClosedWhy } from '../../sdk/connection-state.ts';
import { endedExit, endedSentence } from '../ended-session.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { completed } from './complete.ts';
import { HISTORY_LINES_MAX, readHistory, writeHistory } from './history-file.ts';
import { type Joined, join, type PromptJoinOptions } from './join.ts';
import { Notices } from './notices.ts';
import { Terminal, type TerminalParts } from './terminal.ts';

/** Milliseconds that the prompt waits for a verb before it lets the next line be typed. */
const PATIENCE_MS = 400;

export interface PromptOptions extends Omit<PromptJoinOptions, 'patienceMs' | 'notice'> {
  /** The join code of the lab; empty if it is not known. */
  readonly code: string;
  readonly input: Readable;
  readonly output: Writable;
  readonly editing: TerminalParts['editing'];
  readonly colour: TerminalParts['colour'];
  /** The file with the lines of earlier prompts. */
  readonly history: string;
  /** Aborted: the prompt ends. */
  readonly signal: AbortSignal;
}

/** Rejects: UsageError if the lab cannot be joined. */
export async function runPrompt(options: PromptOptions): Promise<ExitCode> {
  const { role, history } = options;
  const screen: { terminal: Terminal | 'none' } = { terminal: 'none' };
  const notices = new Notices((shown) => {
    if (screen.terminal !== 'none') screen.terminal.notify(shown);
  });
  const joined = await join({
    ...options,
    patienceMs: PATIENCE_MS,
    notice: (notice) => notices.add(notice),
  });
  const { session, agent, watch } = joined;
  const terminal = new Terminal({
    ...options,
    history: readHistory(history),
    historyMax: HISTORY_LINES_MAX,
    complete: (line) => {
      const mappings = watch.view.mappings(session.client.mm);
      return completed(line, { role, mappings, actors: agent.actors() });
    },
  });
  screen.terminal = terminal;
  options.signal.addEventListener('abort', () => terminal.close());
  let ended: ClosedWhy | 'not-yet' = 'not-yet';
  const gone = agent.closed.then((closed) => {
    ended = closed;
    terminal.close();
  });
  terminal.print(greeting(options, joined));
  await converse(terminal, joined, notices);
  terminal.close();
  notices.flush();
  const written = writeHistory(history, terminal.entered);
  if (written !== 'written') terminal.print(`the lines of this prompt are not kept: ${written}`);
  const closed = ended as ClosedWhy | 'not-yet';
  if (closed !== 'not-yet') {
    watch.close();
    terminal.print(endedSentence(closed, options.url));
    return endedExit(closed);
  }
  await joined.leave();
  await gone;
  return EXIT.OK;
}

async function converse(terminal: Terminal, joined: Joined, notices: Notices): Promise<void> {
  const { session } = joined;
  for (;;) {
    const typed = await terminal.line(`${session.actor}> `);
    if (typed === 'closed') return;
    const answer = await session.run(typed.line);
    if (answer.outcome === 'quit') return;
    notices.flush();
    terminal.print(answer.text);
  }
}

function greeting({ role, labName, code, url }: PromptOptions, { name, watch }: Joined): string {
  const others = watch.view.actors.map((actor) => actor.name).filter((other) => other !== name);
  const company = others.length === 0 ? 'no other client is there' : `with ${others.join(', ')}`;
  const what = role === 'cpu' ? 'a CPU thread' : 'a device';
  const join = code === '' ? '' : ` (join code ${code})`;
  return (
    `${name} is ${what} in the lab ${labName}${join} at ${url}.\n` +
    `Kernel ${kernelLabel(watch.view)}; ${company}.\n` +
    'help lists the verbs, Tab completes, quit leaves.'
  );
}
