import { type Command, Option } from 'commander';
import { addFormOptions, type FormOptions, printAnswer } from '../answer-form.ts';
import { ending, print } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';

interface ConfigOptions extends FormOptions {
  readonly schema?: true;
  readonly [flag: string]: string | true | undefined;
}

const COLUMNS = { key: 13, value: 26, from: 12 } as const;

export function addConfigCommand(program: Command): void {
  const command = program
    .command('config')
    .description('what is in force, and who says so: flags, environment, file or default')
    .option('--schema', 'print the JSON Schema of the file')
    .addHelpText('after', EXAMPLES);
  addFormOptions(command, 'setting').action(ending(config));
  for (const flag of FLAGS) command.addOption(flag);
}

/** The flags that were given, as they are typed: `--lease-ms`. */
function given(options: { readonly [name: string]: string | true | undefined }) {
  const texts = FLAGS.map((flag) => [flag.long ?? '', options[flag.attributeName()]] as const);
  return new Map(texts.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

/** As other commands have them: here they only show that a flag wins. */
const FLAGS: readonly Option[] = [
  '--url <url>',
  '--lab <name>',
  '--name <name>',
  '--host <address>',
  '--port <number>',
  '--record <dir>',
  '--lease-ms <ms>',
  '--log <form>',
].map((flags) => new Option(flags, 'as the commands have it that use it'));

const EXAMPLES = `
Examples:
  mmrace config
  mmrace config --json
  MMRACE_PORT=8080 mmrace config
  echo '{ "port": 8080, "lab": "demo" }' > mmrace.json && mmrace config
  mmrace config --schema > mmrace.schema.json

Flags win over the environment (MMRACE_*), that over mmrace.json or mmrace.yaml of this folder, that
over the defaults.`;

async function config({ json, jsonl, schema, ...flags }: ConfigOptions): Promise<ExitCode> {
  const { CONFIG_FILE_SCHEMA } = await import('../config/settings.ts');
  if (schema === true) {
    print(JSON.stringify({ $schema: DIALECT, ...CONFIG_FILE_SCHEMA }, null, 2));
    return EXIT.OK;
  }
  const { readConfigFile } = await import('../config/config-file.ts');
  const { inForce } = await import('../config/in-force.ts');
  const { ConfigError, configFrom } = await import('../../../server/app/config.ts');
  try {
    configFrom(process.env);
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
  const file = await readConfigFile(process.cwd());
  const { flagValues } = await import('../config/flag-values.ts');
  const settings = inForce({ flags: flagValues(given(flags)), environment: process.env, file });
  const lines = settings.map(({ key, value, from, variable, what }) =>
    [
      key.padEnd(COLUMNS.key),
      String(value).padEnd(COLUMNS.value),
      from.padEnd(COLUMNS.from),
      from === 'environment' ? variable : what,
    ].join(' '),
  );
  const path = file === 'none' ? null : file.path;
  const last =
    path === null ? 'no file mmrace.json or mmrace.yaml in this folder' : `file: ${path}`;
  const form = { ...(json && { json }), ...(jsonl && { jsonl }) };
  printAnswer(form, {
    whole: { file: path, settings },
    parts: settings,
    text: () => [...lines, last].join('\n'),
  });
  return EXIT.OK;
}

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';
