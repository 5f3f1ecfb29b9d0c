/** The scripts that teach a shell the commands. Each is made of the tree of commands and of nothing else. */
import { bashScript } from './bash.ts';
import type { TreeCommand } from './command-tree.ts';
import { fishScript } from './fish.ts';
import { zshScript } from './zsh.ts';

export const COMPLETION_SCRIPTS = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
} as const satisfies { readonly [shell: string]: (tree: readonly TreeCommand[]) => string };

export type Shell = keyof typeof COMPLETION_SCRIPTS;
