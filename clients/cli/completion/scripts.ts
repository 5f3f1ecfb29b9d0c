/** The scripts that teach a shell the commands. Each is made of the tree of commands and of nothing else. */
import { bashScript } from './bash.ts';
import type { TreeCommand, TreeOption } from './command-tree.ts';
import { single } from './single-quoted.ts';
import { zshScript } from './zsh.ts';

export const COMPLETION_SCRIPTS = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
} as const satisfies { readonly [shell: string]: (tree: readonly TreeCommand[]) => string };

export type Shell = keyof typeof COMPLETION_SCRIPTS;

/** One `complete` a command and an option. */
function fishScript(tree: readonly TreeCommand[]): string {
  const lines = tree.flatMap(({ name, description, options, words, otherwise }) => [
    `complete -c mmrace -n __fish_use_subcommand -a ${name} -d ${single(description)}`,
    fishArguments(name, words, otherwise),
    ...options.map((option) => fishOption(name, option)),
  ]);
  return `# fish completion of mmrace\n${lines.join('\n')}\n`;
}

function fishArguments(
  command: string,
  words: readonly string[],
  otherwise: TreeCommand['otherwise'],
): string {
  const files = otherwise === 'files' ? '-F' : '-f';
  return `complete -c mmrace -n '__fish_seen_subcommand_from ${command}' ${files} -a ${single(words.join(' '))}`;
}

function fishOption(command: string, { names, description, value }: TreeOption): string {
  const flags = names.map((name) =>
    name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  const words = fishWords(value);
  const seen = `-n '__fish_seen_subcommand_from ${command}'`;
  return `complete -c mmrace ${seen} ${flags.join(' ')}${words} -d ${single(description)}`;
}

function fishWords(value: TreeOption['value']): string {
  if (value === 'none') return '';
  return value === 'any' ? ' -r' : ` -x -a ${single(value.choices.join(' '))}`;
}
