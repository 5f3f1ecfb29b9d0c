import { type Complaint, complain, complainOfMatches, type SourceFile } from './source-file.ts';

/** What gives a pure floor a clock, chance, another scheduler than ours, or the outside world. */
const WAYS_OUT: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/\basync\b/g, 'async: suspension belongs to the scheduler; write a Task'],
  [/\bawait\b/g, 'await: suspension belongs to the scheduler; write a Task'],
  [/(?<!\.)\bPromise\b/g, 'Promise: suspension belongs to the scheduler; write a Task'],
  [/(?<!\.)\bDate\b/g, 'Date: a pure floor has no clock'],
  [/(?<!\.)\bperformance\b/g, 'performance: a pure floor has no clock'],
  [/\bset(?:Timeout|Interval|Immediate)\b/g, 'a timer: a pure floor has no clock'],
  [/\bqueueMicrotask\b/g, 'queueMicrotask: suspension belongs to the scheduler'],
  [/\bMath\s*\.\s*random\b/g, 'Math.random: a pure floor has no chance'],
  [/(?<!\.)\bcrypto\b/g, 'crypto: a pure floor has no chance'],
  [/(?<!\.)\bprocess\s*\./g, 'process: a pure floor knows no process'],
  [/(?<!\.)\bconsole\b/g, 'console: what happened leaves as an event'],
  [/(?<!\.)\bglobalThis\b/g, 'globalThis: a pure floor owns nothing'],
];

/** A clock, chance, async or state of a module's own, in code of a pure floor. */
export function complainOfImpurity(file: SourceFile): Complaint[] {
  if (file.floor === 'none' || file.floor.nature === 'outside' || file.role !== 'code') return [];
  return [
    ...WAYS_OUT.flatMap(([pattern, why]) => complainOfMatches(file, file.code, pattern, () => why)),
    ...complainOfModuleState(file),
  ];
}

/** Declarations at the start of a line stand at module level: the formatter indents all others. */
function complainOfModuleState(file: SourceFile): Complaint[] {
  const variables = complainOfMatches(
    file,
    file.code,
    /^(?:export )?(?:let|var)\b/gm,
    () => 'a module-level variable is state shared by all worlds',
  );
  const constants = [...file.code.matchAll(/^(?:export )?const (\w+)/gm)].map(
    (match) => match[1] as string,
  );
  return [...variables, ...constants.flatMap((name) => changesOf(file, name))];
}

/** Places where the object behind a module-level constant is changed. */
function changesOf(file: SourceFile, name: string): Complaint[] {
  const change = new RegExp(
    `(?<![.\\w])${name}(?:` +
      '\\.(?:set|add|delete|clear|push|pop|shift|unshift|splice|sort|reverse|fill|copyWithin)\\(' +
      '|(?:\\.\\w+|\\[[^\\]]*\\])+\\s*(?:[-+*/%&|^]|\\*\\*|<<|>>>?|\\?\\?|\\|\\||&&)?=(?![=>])' +
      '|(?:\\.\\w+|\\[[^\\]]*\\])+(?:\\+\\+|--)' +
      ')',
    'g',
  );
  return [...file.code.matchAll(change)].map((match) =>
    complain(
      file,
      match.index,
      `${name} is changed, but a module's constant is shared by all worlds`,
    ),
  );
}
