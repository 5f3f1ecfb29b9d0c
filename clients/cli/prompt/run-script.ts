/** Lines of `--do` or of a pipe, one after the other, without a terminal. */
import type { ClosedWhy } from '../../sdk/connection-state.ts';
import { endedSentence } from '../ended-session.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import { join, type PromptJoinOptions } from './join.ts';
import { type ParsedLine, parseLine } from './parse-line.ts';
import type { PromptAnswer, PromptSession } from './prompt-session.ts';
import type { PromptRole } from './verb.ts';

export interface ScriptOptions extends Omit<PromptJoinOptions, 'patienceMs' | 'notice'> {
  readonly lines: readonly ScriptLine[];
  readonly form: 'text' | 'json' | 'jsonl';
  readonly print: (text: string) => void;
  readonly say: (text: string) => void;
}

export interface ScriptLine {
  readonly parsed: ParsedLine;
  /** What a complaint about it begins with: `--do "load q"`, `line 3: "load q"`. */
  readonly place: string;
}

/** One line as data. */
interface Entry {
  readonly do: string;
  readonly actor: string;
  readonly outcome: PromptAnswer['outcome'];
  readonly result: PromptAnswer['result'];
}

/** Lines that were given one by one. As parseLines(). */
export function parseScript(texts: readonly string[], role: PromptRole): readonly ScriptLine[] {
  return parseLines(
    texts.map((text) => ({ text, place: `--do "${text}"` })),
    role,
  );
}

/** A script as a text. As parseLines(). */
export function parseScriptText(text: string, role: PromptRole): readonly ScriptLine[] {
  const lines = text.split(/\r?\n/);
  return parseLines(
    lines.map((line, at) => ({ text: line, place: `line ${at + 1}: "${line.trim()}"` })),
    role,
  );
}

/** Checks all lines before anything is done. Throws: UsageError for the first that cannot be understood. */
function parseLines(
  given: readonly { readonly text: string; readonly place: string }[],
  role: PromptRole,
): readonly ScriptLine[] {
  return given.flatMap(({ text, place }) => {
    const parsed = parseLine(text, role);
    if (parsed === 'empty') return [];
    if ('wrong' in parsed) throw new UsageError(`${place}: ${parsed.wrong}`);
    return [{ parsed, place }];
  });
}

/** Milliseconds that a script waits for a server that is gone. */
const COME_BACK_MS = 30_000;

/**
 * Exit 0 if every verb did what it was asked, 1 at the first that did not: those behind it are not begun. A line whose
 * verb stands still at a hold does not keep the next one back.
 *
 * Rejects: UsageError if the lab cannot be joined, or a line turns out to be wrong: a place that is not mapped. The
 * session is over then, too.
 */
export async function runScript(options: ScriptOptions): Promise<ExitCode> {
  const self = { name: options.name };
  const joined = await join({
    ...options,
    // What comes after a session that is gone would find nothing of what came before it.
    start: (agent) => options.start({ ...agent, onLoss: 'resume', comeBackMs: COME_BACK_MS }),
    patienceMs: 'for-ever',
    notice: ({ text }) => options.say(`${self.name}: ${text}`),
  });
  const { session, agent, name } = joined;
  self.name = name;
  const gone: { closed: ClosedWhy | 'not-yet' } = { closed: 'not-yet' };
  const closed = agent.closed.then((why) => {
    gone.closed = why;
    return 'gone' as const;
  });
  const entries: Entry[] = [];
  const ran = await Promise.race([each(session, options, entries), closed]).catch(
    async (error: unknown) => {
      await joined.leave();
      throw error;
    },
  );
  if (options.form === 'json') {
    const { labName: lab } = options;
    options.print(JSON.stringify({ lab, name, done: entries }));
  }
  // A session that is lost fails its verbs in the turn in which it closes.
  if (ran === 'failed') await new Promise(setImmediate);
  if (gone.closed !== 'not-yet') {
    joined.watch.close();
    options.say(`mmrace ${options.role}: ${endedSentence(gone.closed, options.url)}`);
    // Whatever the reason: not all of it was done.
    return EXIT.UNAVAILABLE;
  }
  await joined.leave();
  return ran === 'done' ? EXIT.OK : EXIT.BROKEN;
}

async function each(
  session: PromptSession,
  { lines, form, print, say }: ScriptOptions,
  entries: Entry[],
): Promise<'done' | 'failed'> {
  for (const { parsed: line, place } of lines) {
    const { actor } = session;
    const answer = await session.runParsed(line);
    if (answer.outcome === 'wrong') throw new UsageError(`${place}: ${answer.text}`);
    const entry = { do: line.text, actor, outcome: answer.outcome, result: answer.result };
    entries.push(entry);
    if (form === 'jsonl') print(JSON.stringify(entry));
    if (answer.outcome === 'failed') {
      say(`${line.text}: ${answer.text}`);
      return 'failed';
    }
    if (form === 'text' && answer.text !== '') {
      // What is only talk stays out of the data.
      if (answer.outcome === 'waits') say(answer.text);
      else print(answer.text);
    }
    if (answer.outcome === 'quit') break;
  }
  const [left] = session.running;
  if (left === undefined) return 'done';
  const standing = await session.run('wait');
  if (standing.outcome === 'wrong') {
    say(`the script ended while "${left.line}" stood still: end it with go and wait`);
    return 'failed';
  }
  return 'done';
}
