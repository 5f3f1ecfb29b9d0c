/**
 * Test files that share a process. To start one and to import the machine takes longer than most files run: `npm test`
 * starts one for each group.
 */

/** More of them, and the last group runs by itself for long. */
const FILES_MAX = 8;

/** Milliseconds for the tests of one file. */
const FILE_TIMEOUT_MS = 300_000;

/** What changes the process for the files beside it, measures what they use too, or waits long for processes. */
const ALONE_BY_TEXT = [
  /\bprocess\.(?:env|chdir|exitCode|argv|on|memoryUsage)\b/,
  /\bmock\.|\b(?:startMmrace|runProcess|MortalServer|OwnRedis)\b/,
  /'node:(?:child_process|worker_threads|v8)'/,
];

const ALONE_BY_PATH = [
  // They share a module that waits before it is done: tests that are declared behind such a wait belong to the suite
  // that began it, whichever file declares them.
  /\.e2e\.test\.ts$/,
  // They hold against each other what V8 counts of code that ran, and it counts for the whole process.
  /^server\/verify\/(?:coverage|explore\/workers)\//,
];

export interface TestGroup {
  readonly name: string;
  readonly paths: readonly string[];
}

/** Those that run alone come first, then the upper floors, which search: no long one is the last. */
export function groupsOf(
  paths: readonly string[],
  textOf: (path: string) => string,
): readonly TestGroup[] {
  const alone: TestGroup[] = [];
  const shared = new Map<string, TestGroup[]>();
  for (const path of paths.toSorted()) {
    if (runsAlone(path, textOf(path))) {
      alone.push({ name: path.replaceAll('/', '-'), paths: [path] });
      continue;
    }
    const place = path.split('/').slice(0, 2).join('-');
    const groups = shared.get(place) ?? [];
    shared.set(place, groups);
    const last = groups.at(-1);
    if (last === undefined || last.paths.length === FILES_MAX)
      groups.push({ name: `${place}-${groups.length + 1}`, paths: [path] });
    else groups[groups.length - 1] = { ...last, paths: [...last.paths, path] };
  }
  return [...alone, ...[...shared.values()].flat().toReversed()];
}

function runsAlone(path: string, text: string): boolean {
  return (
    ALONE_BY_PATH.some((sign) => sign.test(path)) || ALONE_BY_TEXT.some((sign) => sign.test(text))
  );
}

/** Returns the program of a process, which stands in a folder below the root. */
export function processProgram({ paths }: TestGroup): string {
  if (paths.length === 1) return `import '../${paths[0]}';\n`;
  // A suite each: the hooks of a file are for its own tests.
  const suites = paths.map(
    (path) => `suite('${path}', { timeout: ${FILE_TIMEOUT_MS} }, () => import('../${path}'));\n`,
  );
  return `import { suite } from 'node:test';\n${suites.join('')}`;
}
