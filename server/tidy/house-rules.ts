import { type Complaint, complain, complainOfMatches, type SourceFile } from './source-file.ts';

/** The formatter breaks code at 100 columns; comments and long strings may reach this. */
export const LINE_COLUMNS_MAX = 120;

/** Names of files and folders that say nothing. */
const OWNERLESS = /(?:^|\/)(?:utils?|helpers?|common|misc|shared|lib|index)(?:\.|\/|$)/;

/** Everything that one file alone shows. */
export function complainOfHouseRules(file: SourceFile): Complaint[] {
  return [
    ...complainOfLongLines(file),
    ...complainOfName(file),
    ...complainOfMatches(file, file.code, /\bexport\s+default\b/g, () => 'no default exports'),
    ...complainOfMatches(
      file,
      file.code,
      /\bexport\s+(?:type\s+)?(?:\*|\{[^}]*\}\s*from\b)/g,
      () => 'no re-exports: import the file that defines it',
    ),
    ...complainOfAny(file),
    ...complainOfMatches(
      file,
      file.code,
      /\b(?:test|it|describe)\.only\b/g,
      () => 'a test that keeps all others from running',
    ),
    ...complainOfBooleans(file),
  ];
}

/** An `any` with a reason beside it is Biome's business. */
function complainOfAny(file: SourceFile): Complaint[] {
  const lines = file.text.split('\n');
  return complainOfMatches(
    file,
    file.code,
    /(?:[:<,|&(]|\bas|=>)\s*any\b(?!\s*[:(.])/g,
    () => 'no any: say what it is, or unknown',
  ).filter(({ line }) => !lines[line - 2]?.includes('biome-ignore lint/suspicious/noExplicitAny:'));
}

/** In functions and public methods; a callback's parameters are whatever its caller hands it. */
function complainOfBooleans(file: SourceFile): Complaint[] {
  const declared =
    /(?:\bfunction\s*\*?\s*\w+|\n {2}(?:static |\*)?\w+)\s*(?:<[^(]*>)?\(([^()]*)\)\s*[:{]/g;
  return [...file.code.matchAll(declared)].flatMap((match) => {
    const parameter = /(?<!\w)(?!holds\b)\w+\??:\s*boolean\s*(?:[,=]|$)/.exec(match[1] ?? '');
    if (parameter === null) return [];
    const at = match.index + match[0].indexOf(parameter[0]);
    return [complain(file, at, `no boolean parameter (${parameter[0].trim()}): a union of words`)];
  });
}

function complainOfLongLines(file: SourceFile): Complaint[] {
  return file.text.split('\n').flatMap((line, at) =>
    line.length > LINE_COLUMNS_MAX
      ? [
          {
            path: file.path,
            line: at + 1,
            text: `${line.length} columns, ${LINE_COLUMNS_MAX} at most`,
          },
        ]
      : [],
  );
}

function complainOfName(file: SourceFile): Complaint[] {
  if (!OWNERLESS.test(file.path)) return [];
  return [complain(file, 0, 'a name that says nothing: whose concept is it?')];
}
