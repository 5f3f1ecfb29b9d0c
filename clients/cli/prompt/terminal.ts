/**
 * The terminal of a prompt: lines in, with history and completion; answers and notices out. A notice that comes while
 * the user types goes above the line, which stays as it is.
 */
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { Notice } from './notices.ts';

export interface TerminalParts {
  readonly input: Readable;
  readonly output: Writable;
  /** Whether lines can be edited in place. */
  readonly editing: 'in-place' | 'none';
  readonly colour: 'colour' | 'plain';
  /** Oldest first. */
  readonly history: readonly string[];
  readonly historyMax: number;
  readonly complete: (line: string) => [string[], string];
}

export class Terminal {
  readonly #parts: TerminalParts;
  readonly #readline: Interface;
  readonly #lines: string[] = [];
  #wanted: ((line: string | 'closed') => void) | 'none' = 'none';
  #state: 'open' | 'closed' = 'open';
  #entered: string[];

  constructor(parts: TerminalParts) {
    const { input, output, editing, history, historyMax, complete } = parts;
    this.#parts = parts;
    this.#entered = [...history];
    this.#readline = createInterface({
      input,
      output,
      terminal: editing === 'in-place',
      history: history.toReversed(),
      historySize: historyMax,
      removeHistoryDuplicates: true,
      completer: complete,
    });
    this.#readline.on('line', (line) => this.#arrived(line));
    this.#readline.on('close', () => this.#closed());
    this.#readline.on('SIGINT', () => this.close());
  }

  /** Lines that were typed, oldest first, those of earlier prompts included. */
  get entered(): readonly string[] {
    return this.#entered;
  }

  /** Shows `prompt` and waits for a line. 'closed': Ctrl-D, Ctrl-C, or close(). */
  async line(prompt: string): Promise<{ readonly line: string } | 'closed'> {
    const [next] = this.#lines;
    if (next !== undefined) {
      this.#lines.shift();
      return { line: next };
    }
    if (this.#state === 'closed') return 'closed';
    this.#readline.setPrompt(prompt);
    this.#readline.prompt();
    return await new Promise((resolve) => {
      this.#wanted = (line) => resolve(line === 'closed' ? 'closed' : { line });
    });
  }

  /** An answer to the line before. */
  print(text: string): void {
    if (text !== '') this.#parts.output.write(`${text}\n`);
  }

  notify(notices: readonly Notice[]): void {
    if (this.#state === 'closed') return;
    const text = notices.map((notice) => this.#styled(notice)).join('\n');
    if (this.#wanted === 'none' || this.#parts.editing === 'none') {
      this.print(text);
      return;
    }
    // A line that is longer than the terminal is wide stands in several rows, the cursor in one of them.
    const { rows } = this.#readline.getCursorPos();
    const up = rows === 0 ? '' : `\x1b[${rows}A`;
    this.#parts.output.write(`\r${up}\x1b[J${text}\n`);
    // It redraws from where it believes the first row to be: that is here now.
    (this.#readline as { prevRows?: number }).prevRows = 0;
    this.#readline.prompt(true);
  }

  close(): void {
    this.#readline.close();
  }

  #arrived(line: string): void {
    if (line.trim() !== '' && this.#entered.at(-1) !== line) this.#entered.push(line);
    if (this.#wanted === 'none') {
      this.#lines.push(line);
      return;
    }
    const wanted = this.#wanted;
    this.#wanted = 'none';
    wanted(line);
  }

  #closed(): void {
    this.#state = 'closed';
    if (this.#wanted === 'none') return;
    // The shell's prompt is to begin a line of its own.
    if (this.#parts.editing === 'in-place') this.#parts.output.write('\n');
    const wanted = this.#wanted;
    this.#wanted = 'none';
    wanted('closed');
  }

  #styled({ kind, text }: Notice): string {
    if (this.#parts.colour === 'plain') return kind === 'alarm' ? `!!! ${text}` : `* ${text}`;
    const options = { validateStream: false } as const;
    if (kind === 'alarm') return styleText(['bold', 'red'], `!!! ${text}`, options);
    return styleText(kind === 'news' ? 'dim' : 'cyan', `* ${text}`, options);
  }
}
