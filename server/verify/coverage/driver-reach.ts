/** Whether a search has run a driver: the lines that it has of its own, and the functions that it replaces. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DriverVariant } from '../../../clients/drivers/interface/driver-variant.ts';
import { languageOf, parsedCode } from '../../scenario/parsed-code.ts';
import { loadedText } from '../../scenario/user-imports.ts';
import { fileFunctions, isMaker } from './file-functions.ts';
import { buildsOnShippedDriver, type OwnLines, ownFiles, ownLines, scriptOf } from './own-files.ts';
import { type CountedScript, hasRun, isModule, reachedIn } from './reached-code.ts';

/** What ran of one driver in all executions of a search. */
export interface DriverReach {
  /** The id of the driver. */
  readonly driver: string;
  /** Functions of its file that no execution has called, without those that have no name. */
  readonly idle: readonly string[];
  /** Lines that no driver which ships has. */
  readonly lines: readonly OwnLines[];
  /** 'part': it replaces functions of a driver that ships. 'whole': all of the driver is its own. */
  readonly own: 'part' | 'whole';
  /** Else nothing of it has run but what every driver does when it is opened. */
  readonly ran: boolean;
}

/** What the kernel calls, and what programs ask for. */
const ENTRIES = ['perform', 'invalidate', 'invalidateStart', 'migrateToRam', 'pageFree', 'release'];

const DRIVERS = { shipped: 'drivers', aliases: new Map() } as const;

/** 'stock' for a driver that ships and has no fault: it is what others are compared with. */
export function driverReach(
  driver: DriverVariant,
  scripts: readonly CountedScript[],
): DriverReach | 'stock' {
  const { id, file } = driver;
  const script = scripts.find(({ url }) => isSourceOf(url, driver));
  if (file === undefined && script === undefined) return 'stock';
  // A file may do no more than choose what another file of the user has.
  const imported = (file === undefined ? [] : ownFiles(file).slice(1)).flatMap(
    (path) => scriptOf(path, scripts) ?? [],
  );
  if (script === undefined && imported.length === 0) {
    return { driver: id, idle: [], lines: [], own: 'part', ran: false };
  }
  const own = script === undefined ? [] : namedFunctions(script);
  const functions = [...own, ...imported.flatMap(namedFunctions)];
  const entries = functions.filter(({ functionName }) => ENTRIES.includes(functionName));
  const telling = entries.length === 0 ? functions : entries;
  const never = script === undefined ? [] : neverCalled(script);
  const idle = [
    ...own.filter((one) => !hasRun(one)).map(({ functionName }) => functionName),
    ...never,
  ];
  return {
    driver: id,
    idle: [...new Set(idle)].sort(),
    lines: file === undefined ? [] : ownLines(file, scripts, DRIVERS),
    own: file !== undefined && !buildsOnShippedDriver(file) ? 'whole' : 'part',
    ran: functions.length + never.length === 0 || telling.some(hasRun),
  };
}

function namedFunctions({ functions }: CountedScript): CountedScript['functions'] {
  return functions.filter(
    (one) => one.functionName !== '' && !isMaker(one.functionName) && !isModule(one),
  );
}

/** Names of functions that V8 has not even compiled. */
function neverCalled(script: CountedScript): readonly string[] {
  const path = fileURLToPath(script.url);
  const parsed = parsedCode(loadedText(path, readFileSync(path, 'utf8')), languageOf(path));
  if (parsed === 'not parsable') return [];
  return fileFunctions(parsed)
    .filter((one) => one.kind === 'code' && one.name !== '' && !isMaker(one.name))
    .filter((one) => !reachedIn(script, one).includes(1))
    .map(({ name }) => name);
}

function isSourceOf(url: string, { id, file }: DriverVariant): boolean {
  if (!url.startsWith('file:')) return false;
  const path = fileURLToPath(url);
  if (file !== undefined) return path === file;
  const ships = path.includes('/clients/drivers/faulty/');
  return ships && /^(.*)\.[jt]s$/.exec(basename(path))?.[1] === id;
}
