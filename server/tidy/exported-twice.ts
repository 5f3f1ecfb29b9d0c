import type { SourceFile } from './source-file.ts';

const EXPORTED =
  /^export (?:declare |async |abstract )*(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm;

/** Names that more than one file declares and exports: who reads one has to look which of them it is. */
export function exportedTwice(files: readonly SourceFile[]): string[] {
  const declaredBy = new Map<string, Set<string>>();
  for (const { path, role, code } of files) {
    if (role !== 'code') continue;
    for (const [, name = ''] of code.matchAll(EXPORTED))
      declaredBy.set(name, (declaredBy.get(name) ?? new Set()).add(path));
  }
  return [...declaredBy].filter(([, paths]) => paths.size > 1).map(([name]) => name);
}
