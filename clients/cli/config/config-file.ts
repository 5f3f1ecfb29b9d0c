/** The file of a folder that sets what flags and environment leave open. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../failure.ts';
import { SETTINGS } from './settings.ts';

/** At most one of them may be there. JSON is YAML, so one reader does. */
export const CONFIG_FILES = ['mmrace.json', 'mmrace.yaml', 'mmrace.yml'] as const;

export interface ConfigFile {
  readonly path: string;
  /** By key, each checked. */
  readonly values: { readonly [key: string]: string | number };
}

export interface Environment {
  readonly [variable: string]: string | undefined;
}

/** Throws: UsageError with every problem of the file, a line each, or if there are two files. */
export async function readConfigFile(folder: string): Promise<ConfigFile | 'none'> {
  const found = CONFIG_FILES.map((file) => join(folder, file)).flatMap((path) => {
    const text = textOf(path);
    return text === 'none' ? [] : [{ path, text }];
  });
  const [file, second] = found;
  if (file === undefined) return 'none';
  if (second !== undefined) {
    throw new UsageError(`${file.path} and ${second.path} are both there: keep one of them`);
  }
  return { path: file.path, values: await checked(file.path, file.text) };
}

/** The environment with what the file sets behind it. Throws: as readConfigFile(). */
export async function environmentWithFile(
  environment: Environment,
  folder: string,
): Promise<Environment> {
  const file = await readConfigFile(folder);
  if (file === 'none') return environment;
  const behind = SETTINGS.flatMap(({ key, variable }) => {
    const value = file.values[key];
    return value === undefined ? [] : [[variable, String(value)] as const];
  });
  return { ...Object.fromEntries(behind), ...environment };
}

/** Only a file that is there is worth the reader of YAML. */
async function checked(path: string, text: string): Promise<ConfigFile['values']> {
  const { Compile } = await import('typebox/compile');
  const { differences } = await import('../../../server/scenario/schema-problems.ts');
  const { printProblem, readYaml } = await import('../../../server/scenario/yaml-source.ts');
  const { CONFIG_FILE_SCHEMA } = await import('./settings.ts');
  const yaml = readYaml(text, path);
  if (!yaml.ok) throw new UsageError(yaml.problems.map(printProblem).join('\n'));
  // An empty file sets nothing.
  const value = yaml.source.value ?? {};
  if (!Compile(CONFIG_FILE_SCHEMA).Check(value)) {
    const problems = differences(CONFIG_FILE_SCHEMA, value).map(({ path: at, message, part }) =>
      printProblem(yaml.source.problem(at, message, part)),
    );
    throw new UsageError(problems.join('\n'));
  }
  return value as ConfigFile['values'];
}

function textOf(path: string): string | 'none' {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'none';
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${path}: cannot be read: ${why}`, { cause: error });
  }
}
