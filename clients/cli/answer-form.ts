/** Answers for programs: `--json` prints one object, `--jsonl` one object a line for each part of the answer. */
import type { Command } from 'commander';
import { print } from './ending.ts';
import { UsageError } from './failure.ts';

export interface FormOptions {
  readonly json?: true;
  readonly jsonl?: true;
}

export function addFormOptions(command: Command, part: string): Command {
  return command
    .option('--json', 'print one JSON object')
    .option('--jsonl', `print one JSON object a line, for each ${part}`);
}

/** Throws: UsageError for both. */
export function formOf({ json, jsonl }: FormOptions): 'text' | 'json' | 'jsonl' {
  if (json === true && jsonl === true) {
    throw new UsageError('--json and --jsonl exclude each other');
  }
  if (json === true) return 'json';
  return jsonl === true ? 'jsonl' : 'text';
}

/** Prints an answer that has parts. `text` is made only if a person is to read it. */
export function printAnswer(
  options: FormOptions,
  answer: {
    readonly whole: object;
    readonly parts: readonly object[];
    readonly text: () => string;
  },
): void {
  switch (formOf(options)) {
    case 'json':
      print(JSON.stringify(answer.whole));
      break;
    case 'jsonl':
      for (const part of answer.parts) print(JSON.stringify(part));
      break;
    case 'text':
      print(answer.text());
      break;
  }
}
