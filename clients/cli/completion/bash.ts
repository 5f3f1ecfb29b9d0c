import type { TreeCommand, TreeOption } from './command-tree.ts';

const GLOBAL = ['--help', '--version'] as const;

/** A function for `complete -F`. */
export function bashScript(tree: readonly TreeCommand[]): string {
  const choices = tree.flatMap(({ name, options }) =>
    withChoices(options).map(
      ({ names, words }) =>
        `    ${names.map((option) => `${name}:${option}`).join('|')}) words=${quoted(words)} ;;`,
    ),
  );
  const free = tree.flatMap(({ name, options }) =>
    options
      .filter(({ value }) => value === 'any')
      .map(({ names }) => names.map((option) => `${name}:${option}`).join('|')),
  );
  const commands = tree.map(
    ({ name, options, words }) =>
      `    ${name}) words=${quoted([...options.flatMap(({ names }) => names), ...words])} ;;`,
  );
  const withFiles = tree.filter(({ otherwise }) => otherwise === 'files').map(({ name }) => name);
  return `# bash completion of mmrace
_mmrace() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= words= at
  for ((at = 1; at < COMP_CWORD; at++)); do
    case \${COMP_WORDS[at]} in -*) ;; *) command=\${COMP_WORDS[at]}; break ;; esac
  done
  case $command:$previous in
${choices.join('\n')}
${free.length === 0 ? '' : `    ${free.join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;`}
  esac
  if [[ -n $words ]]; then COMPREPLY=($(compgen -W "$words" -- "$current")); return; fi
  case $command in
    '') words=${quoted([...tree.map(({ name }) => name), ...GLOBAL])} ;;
${commands.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  case $command:$current in
    *:-*) ;;
    ${withFiles.map((name) => `${name}:*`).join('|')}) COMPREPLY+=($(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _mmrace mmrace
`;
}

function withChoices(options: readonly TreeOption[]) {
  return options.flatMap(({ names, value }) =>
    typeof value === 'object' ? [{ names, words: value.choices }] : [],
  );
}

function quoted(words: readonly string[]): string {
  return `"${words.join(' ')}"`;
}
