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
  /** What its arguments may be, as far as that is known. */
  readonly words: readonly string[];
  /** What they may be besides. */
  readonly otherwise: 'files' | 'nothing';
}

/**
 * Words that an option of this name takes, or an argument of a command, where commander does not know them: `--patch`
 * takes ids of patches, `explore scenario` names of scenarios.
 */
export type KnownWords = ReadonlyMap<string, readonly string[]>;

export function commandTree(
  program: Command,
  known: KnownWords = new Map(),
): readonly TreeCommand[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    words: command.registeredArguments.flatMap(
      (argument) => argument.argChoices ?? known.get(`${command.name()} ${argument.name()}`) ?? [],
    ),
    otherwise: command.registeredArguments.some(({ argChoices }) => argChoices === undefined)
      ? 'files'
      : 'nothing',
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
