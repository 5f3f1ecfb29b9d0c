/**
 * A user's own patches and drivers as data that another machine can load: the text of each file and of the files that
 * it imports, under paths that do not tell where they stood. What they import of mmrace is there by its names.
 */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { maskSource } from '../journal/mask-source.ts';
import { jointName, namesIn } from '../patches/joint-name.ts';
import { type AskedChoice, isFile, withPath } from '../scenario/explore-request.ts';
import { API_FOLDERS } from '../scenario/user-imports.ts';
import { BadInput } from '../vocabulary/bad-input.ts';

/** Of one file, and of all of them. */
const FILE_BYTES_MAX = 1024 * 1024;
const FILES_MAX = 64;

/** The program itself. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface CodeBundle {
  /** By relative paths with /. */
  readonly files: Readonly<Record<string, string>>;
}

export const NO_CODE: CodeBundle = { files: {} };

export interface BundledChoices {
  readonly bundle: CodeBundle;
  /** The same choices, with relative paths: `./mine.ts`. */
  readonly choices: readonly AskedChoice[];
  /** Where each file of the bundle stood. */
  readonly origins: Readonly<Record<string, string>>;
}

/** Throws: BadInput for a file that cannot be read, or needs what workers do not have. */
export function bundled(choices: readonly AskedChoice[]): BundledChoices {
  const own = choices.flatMap(({ patch, drivers }) => [
    ...namesIn(patch).filter(isFile),
    ...drivers.map((driver) => driver.replace(/^[^=]*=/, '')).filter(isFile),
  ]);
  const texts = textsOf(own.map((path) => resolve(path)));
  const base = commonFolder([...texts.keys()]);
  const inBundle = (path: string) => relative(base, resolve(path)).split(sep).join('/');
  return {
    bundle: { files: Object.fromEntries([...texts].map(([path, text]) => [inBundle(path), text])) },
    choices: choices.map((choice) => withFiles(choice, (path) => `./${inBundle(path)}`)),
    origins: Object.fromEntries([...texts.keys()].map((path) => [inBundle(path), path])),
  };
}

/** The same choice with the paths of files as `resolved` makes them. */
export function withFiles(choice: AskedChoice, resolved: (path: string) => string): AskedChoice {
  const patches = namesIn(choice.patch).map((name) => (isFile(name) ? resolved(name) : name));
  return {
    ...choice,
    patch: jointName(patches),
    drivers: choice.drivers.map((driver) => withPath(driver, resolved)),
  };
}

/** Writes it below `folder`. Throws: BadInput for a path that leads out of it. */
export function unpack({ files }: CodeBundle, folder: string): void {
  for (const [name, text] of Object.entries(files)) {
    const path = resolve(folder, name);
    if (!path.startsWith(folder + sep)) throw new BadInput(`${name}: leads out of its folder`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** Of the files and of all that they import, by absolute paths. */
function textsOf(entries: readonly string[]): Map<string, string> {
  const texts = new Map<string, string>();
  const toRead = [...entries];
  for (let path = toRead.pop(); path !== undefined; path = toRead.pop()) {
    if (texts.has(path)) continue;
    const { text, imports } = portable(path);
    texts.set(path, text);
    if (texts.size > FILES_MAX) throw new BadInput(`${path}: more than ${FILES_MAX} files`);
    toRead.push(...imports);
  }
  return texts;
}

/** What stands between the quotes of an import. */
const IMPORT =
  /(^[ \t]*(?:import|export)\b(?:[^'"`;()]*?\bfrom)?\s*|\bimport\(\s*)(['"])([^'"\n]+)\2/gm;

interface Portable {
  readonly text: string;
  /** Absolute paths. */
  readonly imports: readonly string[];
}

function portable(path: string): Portable {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new BadInput(`${path}: there is no such file`);
  if (size > FILE_BYTES_MAX) throw new BadInput(`${path}: is larger than a mebibyte`);
  const text = readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
  const imports: string[] = [];
  const masked = maskSource(text, 'comments');
  const made = text.replaceAll(
    IMPORT,
    (whole: string, head: string, quote: string, specifier: string, at: number) => {
      // A remark that looks like an import is blank there.
      if (masked.slice(at, at + head.length).trim() === '') return whole;
      const named = namedImport(path, specifier);
      if (named.kind === 'file') imports.push(named.path);
      return named.kind === 'name' ? `${head}${quote}${named.name}${quote}` : whole;
    },
  );
  return { text: made, imports };
}

type Named =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'as it is' };

function namedImport(importer: string, specifier: string): Named {
  if (specifier === 'mmrace' || specifier.startsWith('mmrace/')) return { kind: 'as it is' };
  if (specifier.startsWith('node:') || builtinModules.includes(specifier))
    return { kind: 'as it is' };
  if (!/^(\.|\/|file:)/.test(specifier)) {
    throw new BadInput(`${importer}: imports the package ${specifier}, which workers do not have`);
  }
  const path = specifier.startsWith('file:')
    ? fileURLToPath(specifier)
    : resolve(dirname(importer), specifier);
  if (!/^(server|clients)\//.test(relative(ROOT, path).split(sep).join('/')))
    return { kind: 'file', path };
  const own = relative(ROOT, path).split(sep).join('/');
  for (const [name, folder] of Object.entries(API_FOLDERS)) {
    if (!own.startsWith(`${folder}/`)) continue;
    return { kind: 'name', name: `mmrace/${name}/${own.slice(folder.length + 1)}` };
  }
  throw new BadInput(`${importer}: imports ${own}, which is no API: workers may have another`);
}

function commonFolder(paths: readonly string[]): string {
  const [first = process.cwd(), ...rest] = paths.map((path) => dirname(path));
  let folder = first;
  for (const other of rest) {
    while (other !== folder && !other.startsWith(folder.endsWith(sep) ? folder : folder + sep))
      folder = dirname(folder);
  }
  return folder;
}

/** Whether the files stand where they stood, with the same text. */
export function isWhereItWas(
  { files }: CodeBundle,
  origins: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(files).every(([name, text]) => {
    const path = origins[name];
    return path !== undefined && existsSync(path) && portable(path).text === text;
  });
}

/** The folder below which they stood; for no files, any. */
export function originFolder(origins: Readonly<Record<string, string>>): string {
  const [[name, path] = ['', '']] = Object.entries(origins);
  return path.slice(0, path.length - name.length);
}

/** Where the files of `choice` are below `folder`. */
export function choiceIn(choice: AskedChoice, folder: string): AskedChoice {
  return withFiles(choice, (path) => join(folder, path));
}
