import { type Complaint, complain, complainOfMatches, type SourceFile } from './source-file.ts';

/** The formatter breaks code at 100 columns; comments and long strings may reach this. */
export const LINE_COLUMNS_MAX = 120;

/** Names of files and folders that belong to nobody. */
const OWNERLESS = /(?:^|\/)(?:utils?|helpers?|common|misc|shared|lib|index)(?:\.|\/|$)/;

/** Everything that a look at one file alone can tell. */
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
    ...complainOfMatches(
      file,
      file.code,
      /(?:[:<,|&(]|\bas|=>)\s*any\b(?!\s*[:(.])/g,
      () => 'no any: say what it is, or unknown',
    ),
    ...complainOfMatches(
      file,
      file.code,
      /\b(?:test|it|describe)\.only\b/g,
      () => 'a test that keeps all others from running',
    ),
    ...complainOfMatches(
      file,
      file.code,
      /[(,]\s*(?!holds\b)\w+\??:\s*boolean\s*[,)=]/g,
      (match) => `no boolean parameter (${match[0].trim()}): a union of words reads at the call`,
    ),
  ];
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
