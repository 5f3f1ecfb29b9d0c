/** What failed, in words: rule ids come last, and a condition is read out, with what its actors have read. */
import type { Event } from '../../../server/abi/event.ts';

const OPERATORS: readonly (readonly [RegExp, string])[] = [
  [/\s*!=\s*/g, ' is not '],
  [/\s*==\s*/g, ' is '],
  [/\s*>=\s*/g, ' is at least '],
  [/\s*<=\s*/g, ' is at most '],
  [/\s*>\s*/g, ' is more than '],
  [/\s*<\s*/g, ' is less than '],
  [/\s*&&\s*/g, ', and '],
  [/\s*\|\|\s*/g, ', or '],
];
const REGISTER = /\b([A-Za-z][\w-]*)\.([A-Za-z]\w*)/g;

export function failureSentence(failure: string, events: readonly Event[]): string {
  const rule = /^((?:OR|CR|LK)\d+): (.*)$/s.exec(failure);
  if (rule !== null) return `${rule[2]} (${rule[1]})`;
  const condition = /^(forbidden|reached): (.*)$/s.exec(failure);
  if (condition === null) return failure;
  const [, how = '', text = ''] = condition;
  const begin =
    how === 'forbidden' ? 'It came to what must never be' : 'It came to what was asked for';
  const spoken = OPERATORS.reduce((words, [sign, spell]) => words.replace(sign, spell), text);
  const actors = new Set([...text.matchAll(REGISTER)].map(([, actor = '']) => actor));
  const reads = [...actors].flatMap((actor) => {
    const read = events.findLast(
      (event) => event.kind === 'cpu-access' && event.actor === actor && event.mode === 'read',
    );
    return read?.kind === 'cpu-access' ? [`${actor} read ${read.value} last.`] : [];
  });
  return [`${begin}: ${spoken.replace(REGISTER, '$2 of $1')}.`, ...reads].join(' ');
}
