import type { TreeCommand, TreeOption } from './command-tree.ts';
import { single } from './single-quoted.ts';

/** A function of fpath; sourced, it registers itself. */
export function zshScript(tree: readonly TreeCommand[]): string {
  const commands = tree.map(({ name, description }) => `    ${single(`${name}:${description}`)}`);
  const cases = tree.map(({ name, options, words, otherwise }) => {
    const free = zshArgument(words, otherwise);
    const specs = options.map((option) => `        ${zshOption(option)}`);
    return `    ${name})\n      _arguments \\\n${[...specs, `        '*:argument:${free}'`].join(' \\\n')}\n      ;;`;
  });
  return `#compdef mmrace
# zsh completion of mmrace
_mmrace() {
  local -a commands
  commands=(
${commands.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = "_mmrace" ]; then _mmrace "$@"; else compdef _mmrace mmrace; fi
`;
}

function zshArgument(words: readonly string[], otherwise: TreeCommand['otherwise']): string {
  const known = `(${words.join(' ')})`;
  if (otherwise === 'nothing') return known;
  if (words.length === 0) return '_files';
  return `{_alternative "words:word:${known}" "files:file:_files"}`;
}

function zshOption({ names, description, value }: TreeOption): string {
  const about = description.replaceAll(/[[\]:]/g, ' ');
  const argument =
    value === 'none' ? '' : `:value:${value === 'any' ? '_files' : `(${value.choices.join(' ')})`}`;
  return names.map((name) => single(`${name}[${about}]${argument}`)).join(' ');
}
