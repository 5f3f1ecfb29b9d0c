/** One question on several versions of Linux, one after the other, and where their answers differ. */
import type { KernelId } from '../../../server/abi/kernel-ids.ts';
import { scenarioOf } from '../../../server/scenario/explore-request.ts';
import type { VerdictWord } from '../../../server/scenario/scenario-schema.ts';
import { plainVerdict } from '../../../server/verify/answer/plain.ts';
import { print } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { askedFrom, type ChoiceOptions } from '../scenario-choice.ts';
import { type Answered, answerTo } from './answer.ts';
import { keptOf, reproduceLine, tokenOf } from './saved-counterexample.ts';
import { newSearchProgress } from './search-progress.ts';
import { type SearchSettings, searchDataOf } from './search-settings.ts';
import { textOf } from './text.ts';

export interface OnKernelsOptions extends ChoiceOptions, SearchSettings {
  readonly workers: number;
  readonly json?: true;
}

interface OnKernel extends Answered {
  readonly kernel: KernelId;
}

/** Prints an answer for each of `kernels` up to where it is interrupted. Throws: BadInput. */
export async function exploreOnKernels(
  file: string,
  options: OnKernelsOptions,
  kernels: readonly KernelId[],
): Promise<ExitCode> {
  const answers: OnKernel[] = [];
  for (const kernel of kernels) {
    const answer = { kernel, ...(await answerOn(file, { ...options, kernel })) };
    answers.push(answer);
    if (options.json !== true) print(textOn(answer, { ...options, kernel }));
    if (answer.ended === 'interrupted') break;
  }
  if (options.json === true) {
    print(JSON.stringify({ kernels: answers.map((answer) => plainOn(answer, options)) }));
  } else print(answers.map(({ kernel, verdict }) => `${kernel}: ${verdict.verdict}`).join('; '));
  if (answers.some(({ ended }) => ended === 'interrupted')) return EXIT.INTERRUPTED;
  return exitCodeOfAll(answers.map(({ verdict }) => verdict.verdict));
}

async function answerOn(file: string, options: OnKernelsOptions): Promise<Answered> {
  const asked = askedFrom(file, options);
  const search = searchDataOf(scenarioOf(asked), options);
  const progress = newSearchProgress(search, 'text');
  const { workers } = options;
  const answered = await answerTo(asked, search, {
    workers,
    onProgress: (now) => progress.at(now),
  });
  progress.end();
  return answered;
}

function textOn({ verdict }: OnKernel, options: OnKernelsOptions): string {
  return textOf(verdict.plan, options, verdict) + reproduceLine(keptOf(verdict, options));
}

function plainOn({ verdict }: OnKernel, options: OnKernelsOptions): object {
  const token = tokenOf(keptOf(verdict, options));
  return plainVerdict(verdict.plan, { patch: options.patch, token }, verdict);
}

function exitCodeOfAll(words: readonly VerdictWord[]): ExitCode {
  if (words.includes('broken')) return EXIT.BROKEN;
  return words.includes('unknown') ? EXIT.UNKNOWN : EXIT.OK;
}
