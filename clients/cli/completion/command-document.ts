/** The commands as a table for the documents, made of the tree of commands. */
import type { TreeCommand } from './command-tree.ts';

/** Markdown. The options are left to --help. */
export function commandDocument(tree: readonly TreeCommand[]): string {
  const rows = tree.map(({ name, description }) => {
    return `| \`${name}\` | ${description.replaceAll('|', '\\|')} |`;
  });
  return ['| command | what it does |', '|---|---|', ...rows].join('\n');
}
