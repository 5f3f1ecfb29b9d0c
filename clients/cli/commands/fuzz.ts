import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Command, Option } from 'commander';
import { DEFAULT_KERNEL, KERNEL_IDS, type KernelId } from '../../../server/abi/kernel-ids.ts';
import {
  type CampaignOptions,
  type CampaignReport,
  type FindingGroup,
  programAt,
  runCampaign,
} from '../../../server/conformance/fuzz/campaign.ts';
import {
  compareWorlds,
  sequenceOf,
  type WorldsDiffer,
} from '../../../server/conformance/fuzz/compare-worlds.ts';
import { type DriverName, FUZZ_DRIVERS } from '../../../server/conformance/fuzz/device-world.ts';
import {
  type FindingFile,
  parseFindingFile,
  printFindingFile,
} from '../../../server/conformance/fuzz/finding-file.ts';
import { FUZZ_SETS, type FuzzSet } from '../../../server/conformance/fuzz/fuzz-program.ts';
import { programOfGenes } from '../../../server/conformance/fuzz/genes.ts';
import { replayFinding } from '../../../server/conformance/fuzz/replay-finding.ts';
import { newMachineWorld } from '../../../server/conformance/traces/machine-world.ts';
import { isMismatch } from '../../../server/conformance/traces/parse-program.ts';
import { WITH_SWAP, WITHOUT_SWAP } from '../../../server/conformance/traces/trace-machine.ts';
import { STOCK_MACHINE } from '../../../server/live/labs.ts';
import { jointName } from '../../../server/patches/joint-name.ts';
import type { Patch } from '../../../server/patches/patch.ts';
import { notReachedText } from '../../../server/report/code-reached.ts';
import { raceDiagram } from '../../../server/report/diagram.ts';
import { counted } from '../../../server/report/lines/counted.ts';
import { type PairsReached, PointPairs } from '../../../server/scheduler/point-pairs.ts';
import { notReached, type Reach, withReach } from '../../../server/verify/coverage/reach.ts';
import { ending, print, say } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { reachingAdvice } from '../explore/reaching-advice.ts';
import { writeText } from '../explore/saved-counterexample.ts';
import { UsageError } from '../failure.ts';
import { interruptible } from '../interruptible.ts';
import { newLiveConformanceWorld } from '../live-conformance-world.ts';
import { LiveLab, SEED_CLIENTS } from '../live-lab.ts';
import { startLocalServer } from '../local-server.ts';
import { patchesFrom } from '../own-patch.ts';
import { newProgress } from '../progress.ts';
import { reachedText } from '../reached-text.ts';
import { wholeNumber } from '../whole-number.ts';

const COUNT_MAX = 100_000_000;
/** Schedules that a replay tries after the one in its file. */
const REPLAY_SCHEDULES = 2_000;

interface FuzzOptions {
  readonly seed: number;
  readonly count: number;
  readonly driver: DriverName;
  readonly set: FuzzSet | 'all';
  readonly kernel: KernelId;
  readonly patch: readonly string[];
  readonly out: string;
  readonly live?: true;
  readonly replay?: string;
  readonly json?: true;
}

/** A live world gave another answer than the one in this process. */
interface LiveDifference extends WorldsDiffer {
  /** The place of the program in the campaign. */
  readonly program: number;
}

export function addFuzzCommand(program: Command): void {
  program
    .command('fuzz')
    .description('run random programs with several actors at once, and make small what they find')
    .option('--seed <n>', 'which programs', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('--count <m>', 'how many', wholeNumber(1, COUNT_MAX), 1_000)
    .addOption(
      new Option('--driver <name>', 'dmirror as Linux has it, or without its races')
        .choices(Object.keys(FUZZ_DRIVERS))
        .default('corrected'),
    )
    .addOption(
      new Option('--set <name>', 'what programs are made of')
        .choices([...FUZZ_SETS, 'all'])
        .default('all'),
    )
    .addOption(
      new Option('--kernel <version>', 'the version of Linux')
        .choices(KERNEL_IDS)
        .default(DEFAULT_KERNEL),
    )
    .option('--patch <name...>', 'patches that ship, or files that export one, innermost first', [])
    .option('--out <dir>', 'where findings are written', 'findings')
    .option(
      '--live',
      'also run each program, one operation at a time, over WebSockets, and compare',
    )
    .option('--replay <file>', 'show the finding of a file again, and draw it')
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(ending(fuzz));
}

const EXAMPLES = `
Examples:
  mmrace fuzz --seed 1 --count 2000
  mmrace fuzz --driver faithful --out findings
  mmrace fuzz --patch remove-second-invalidate --json
  mmrace fuzz --patch ./mine.ts --count 5000
  mmrace fuzz --replay findings/FILE

Each finding is written when it is found. Exit 0 if nothing was found, 1 if something was, 2 if a
patch ran in no program, 130 if interrupted: what was found by then is printed.`;

async function fuzz(options: FuzzOptions): Promise<ExitCode> {
  return options.replay === undefined ? runFuzz(options) : replayFile(options.replay, options);
}

async function runFuzz(options: FuzzOptions): Promise<ExitCode> {
  // Loaded for a search only: a replay needs no shrinker.
  const { shrinkFinding } = await import('../../../server/conformance/fuzz/shrink-finding.ts');
  const patches = await patchesOf(options.patch);
  checkFolder(options.out);
  const newDriver = FUZZ_DRIVERS[options.driver];
  const progress = newProgress(`of ${options.count} programs`);
  const startedAt = performance.now();
  let report: CampaignReport = { programs: 0, ops: 0, steps: 0, findings: [] };
  const files: string[] = [];
  const writeMissing = () => {
    for (const found of report.findings.slice(files.length))
      files.push(writeFinding(options.out, options.seed, found));
  };
  const campaign: CampaignOptions = {
    seed: options.seed,
    count: options.count,
    driver: options.driver,
    kernel: options.kernel,
    patches,
    set: options.set,
    shrink: (found) => shrinkFinding(found, { newDriver, kernel: options.kernel, patches }),
    onProgress: (now) => {
      report = now;
      writeMissing();
      progress.at(now.programs, counted(now.findings.length, 'finding'));
    },
  };
  const points = new PointPairs();
  const { value: ran, reach } = withReach({ patches, drivers: [] }, (watched) =>
    interruptible(() =>
      runCampaign({ ...campaign, patches: watched.patches, listener: () => points.listener() }),
    ),
  );
  // It may have been interrupted while it wrote one.
  writeMissing();
  progress.end();
  const seconds = (performance.now() - startedAt) / 1000;
  const asked = options.live === true && ran !== 'interrupted';
  const live: LiveRun | 'not asked for' = asked
    ? await runLive(campaign, options.kernel)
    : 'not asked for';
  const programsPerSecond = Math.round(report.programs / seconds);
  const pairs = points.found();
  const found: Found = { report, files, live, programsPerSecond, reach, pairs };
  print(options.json === true ? JSON.stringify(plain(found, options)) : textOf(found, options));
  if (ran === 'interrupted' || (live !== 'not asked for' && live.ended === 'interrupted')) {
    say('mmrace: interrupted');
    return EXIT.INTERRUPTED;
  }
  const agrees = live === 'not asked for' || live.differences.length === 0;
  if (report.findings.length > 0 || !agrees) return EXIT.BROKEN;
  return notReached(reach) === 'none' ? EXIT.OK : EXIT.UNKNOWN;
}

/** Throws: UsageError if there could be no folder at `path`; asked before a search that may take long. */
function checkFolder(path: string): void {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined && dirname(path) !== path) {
      checkFolder(dirname(path));
      return;
    }
    if (stats?.isDirectory() !== true) throw new UsageError(`--out: ${path} is no folder`);
    accessSync(path, constants.W_OK);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--out: ${path}: cannot be written: ${why}`, { cause: error });
  }
}

async function patchesOf(names: readonly string[]): Promise<readonly Patch[]> {
  return await patchesFrom(jointName(names));
}

/** Returns: its path. Throws: UsageError. */
function writeFinding(folder: string, seed: number, { first, file }: FindingGroup): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `fuzz-${seed}-${first}.json`);
  writeText(path, printFindingFile(file));
  return path;
}

interface LiveRun {
  readonly programs: number;
  readonly differences: readonly LiveDifference[];
  readonly ended: 'by itself' | 'interrupted';
}

/**
 * Runs every program of the campaign in both worlds, and stops a program at its first difference. Ctrl-C ends it behind
 * the program that is under way.
 */
async function runLive(campaign: CampaignOptions, kernel: KernelId): Promise<LiveRun> {
  let ended: LiveRun['ended'] = 'by itself';
  process.once('SIGINT', () => {
    ended = 'interrupted';
  });
  const server = await startLocalServer({ host: '127.0.0.1', port: 0, logLevel: 'warn' });
  const lab = new LiveLab(server.openLab('fuzz', STOCK_MACHINE));
  const progress = newProgress(`of ${campaign.count} programs compared with the live world`);
  const differences: LiveDifference[] = [];
  let programs = 0;
  try {
    await lab.start(server, SEED_CLIENTS);
    for (let at = 0; at < campaign.count && ended === 'by itself'; at += 1) {
      const { set, genes } = programAt(campaign, at);
      const traced = { id: `fuzz-${campaign.seed}-${at}`, set, seed: campaign.seed, steps: [] };
      const thp = set === 'huge' ? 'always' : 'never';
      const machine = { ...(set === 'swap' ? WITH_SWAP : WITHOUT_SWAP), thp } as const;
      const live = await newLiveConformanceWorld(lab, { ...machine, kernel });
      try {
        const ops = sequenceOf(programOfGenes(set, genes));
        const here = newMachineWorld(traced, { version: kernel, config: machine });
        const compared = await compareWorlds(ops, here, live);
        if (compared !== 'same') differences.push({ program: at, ...compared });
      } finally {
        await live.end();
      }
      programs = at + 1;
      progress.at(programs, `${differences.length} differ`);
    }
    return { programs, differences, ended };
  } finally {
    progress.end();
    await lab.end();
    await server.close();
  }
}

interface Found {
  readonly report: CampaignReport;
  readonly files: readonly string[];
  readonly live: LiveRun | 'not asked for';
  readonly programsPerSecond: number;
  readonly reach: Reach;
  readonly pairs: PairsReached;
}

/** What of the patches has run in no program: empty if all has. */
function notReachedOf({ reach, report }: Found): string {
  const missed = notReached(reach);
  const programs = counted(report.programs, 'program');
  if (missed === 'none') return '';
  const advice = reachingAdvice(missed);
  return `${notReachedText(missed)} in none of ${programs}${advice === '' ? '' : `; ${advice}`}`;
}

function plain(
  { report, files, live, programsPerSecond, reach, pairs }: Found,
  options: FuzzOptions,
): object {
  const { programs, ops, steps } = report;
  return {
    seed: options.seed,
    driver: options.driver,
    kernel: options.kernel,
    patches: options.patch,
    programs,
    ops,
    steps,
    programsPerSecond,
    findings: report.findings.map(({ class: kind, count, first, file }, at) => ({
      class: kind,
      rule: file.finding.rule,
      text: file.finding.text,
      count,
      program: first,
      file: files[at],
    })),
    ...(live === 'not asked for' ? {} : { live }),
    reach,
    pairs,
  };
}

function textOf(all: Found, options: FuzzOptions): string {
  const { report, files, live, programsPerSecond } = all;
  const { programs, ops, findings } = report;
  const found = findings.reduce((sum, { count }) => sum + count, 0);
  const lines = [
    `${programs} programs, ${ops} operations, ${programsPerSecond} programs/s,` +
      ` kernel ${options.kernel}, driver ${options.driver}:` +
      ` ${found === 0 ? 'nothing found' : `${found} findings of ${findings.length} kinds`}`,
  ];
  for (const [at, { count, first, file }] of findings.entries()) {
    lines.push(`[${file.finding.rule}] ${file.finding.text}`);
    lines.push(
      `    seen ${count} times, first in program ${first}; mmrace fuzz --replay ${files[at]}`,
    );
  }
  lines.push(reachedText(all.reach.functions, all.pairs));
  const missed = notReachedOf(all);
  if (missed !== '') lines.push(`unknown: ${missed}`);
  if (live === 'not asked for') return lines.join('\n');
  lines.push(`${live.programs} programs in both worlds: ${live.differences.length} differ`);
  for (const { program, op, name, difference } of live.differences) {
    const { field, expected, actual } = difference;
    lines.push(`program ${program}, operation ${op} (${name}): ${field}`);
    lines.push(`    in this process ${expected}`, `    live            ${actual}`);
  }
  return lines.join('\n');
}

async function replayFile(path: string, options: FuzzOptions): Promise<ExitCode> {
  const file = await readFinding(path);
  const patches = await patchesOf(file.patches);
  const shown = replayFinding(file, { patches, driver: file.driver, schedules: REPLAY_SCHEDULES });
  if (shown === 'not seen') {
    const tried = `not seen under ${REPLAY_SCHEDULES + 1} schedules`;
    print(
      options.json === true ? JSON.stringify({ seen: false, file: path }) : `${path}: ${tried}`,
    );
    return EXIT.UNKNOWN;
  }
  if (shown.schedule !== file.schedule) {
    say(
      `${path}: schedule ${file.schedule} is another interleaving now; ${shown.schedule} shows it`,
    );
  }
  const { finding, schedule, events } = shown;
  if (options.json === true) print(JSON.stringify({ seen: true, file: path, schedule, finding }));
  else
    print([...file.about, `[${finding.rule}] ${finding.text}`, '', raceDiagram(events)].join('\n'));
  return EXIT.BROKEN;
}

async function readFinding(path: string): Promise<FindingFile> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${path}: cannot be read: ${why}`, { cause: error });
  }
  const parsed = parseFindingFile(json);
  if (!isMismatch(parsed)) return parsed;
  throw new UsageError(`${path}: ${parsed.path}: expected ${parsed.bound}`);
}
