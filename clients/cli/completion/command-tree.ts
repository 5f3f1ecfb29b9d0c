/** The commands with their options, as plain data: what a shell may complete. */
import type { Command, Option } from 'commander';

export interface TreeOption {
  /** `--port`; and `-p`, where there is one. */
  readonly names: readonly string[];
  readonly description: string;
  /** 'none': it takes no word. */
  readonly value: 'none' | 'any' | { readonly choices: readonly string[] };
}

export interface TreeCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly TreeOption[];
}

/** Words that an option of this name takes, where commander does not know them: `--patch` takes ids of patches. */
export type KnownWords = ReadonlyMap<string, readonly string[]>;

export function commandTree(
  program: Command,
  known: KnownWords = new Map(),
): readonly TreeCommand[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: [...command.options, ...helpOption(command)].map((option) =>
      treeOption(option, known),
    ),
  }));
}

function helpOption(command: Command): Option[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long === '--help');
}

function treeOption(
  { long, short, description, required, optional, argChoices }: Option,
  known: KnownWords,
): TreeOption {
  const names = [long, short].filter((name): name is string => typeof name === 'string');
  const choices = argChoices ?? known.get(long ?? '');
  if (!(required || optional)) return { names, description, value: 'none' };
  return { names, description, value: choices === undefined ? 'any' : { choices } };
}
