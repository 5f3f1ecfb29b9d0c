import type { Command } from 'commander';
import type { KernelId } from '../../../server/abi/kernel-ids.ts';
import { DEFAULT_CONFIG } from '../../../server/app/config.ts';
import { DEMO_LAB } from '../../../server/app/start-server.ts';
import { STOCK_MACHINE } from '../../../server/live/labs.ts';
import type { Oracles } from '../../../server/machine/oracles/oracles.ts';
import { CONTRACT_ORACLE } from '../../../server/vocabulary/rules.ts';
import { type FreeResult, freeAnswer, freeExit, freeTable } from '../demo/free-report.ts';
import {
  isAsExpected,
  runSeedRace,
  SEED_PATCH,
  SEED_SCENARIOS,
  type SeedVerdict,
} from '../demo/seed-race.ts';
import { type FreeVariant, runFreeRace } from '../demo/seed-race-free.ts';
import { verdictRecord, verdictText } from '../demo/seed-report.ts';
import { ending, print, say, untilSignal } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { isOwn, joinPicture, reachable } from '../join-picture.ts';
import { LiveLab, SEED_CLIENTS } from '../live-lab.ts';
import { type LocalServer, startLocalServer } from '../local-server.ts';
import { readyPage } from '../page-of-server.ts';
import { presenterLine, tokenLine } from '../presenter-line.ts';
import { newProgress } from '../progress.ts';
import { type RacingBots, startRacingBots } from '../racing-bots.ts';
import { serverConfig } from '../server-config.ts';
import { wholeNumber } from '../whole-number.ts';

/** Milliseconds that clients of others have to leave when the demo ends. */
const DRAIN_MS = 500;
const FREE_ROUNDS_MAX = 100_000_000;
/** The kernels that were recorded: what is shown of the others is no more than what was read of them. */
const KERNELS: readonly KernelId[] = ['6.1', '6.12'];
const PATCHES = ['stock', SEED_PATCH] as const;
const VARIANTS: readonly FreeVariant[] = ['zero', 'none'];

/** What is not given comes from MMRACE_* (server/app/config.ts), and then from the defaults. */
interface DemoOptions {
  readonly host?: string;
  readonly port?: number;
  readonly record?: string;
  readonly once?: true;
  readonly free?: number;
  readonly json?: true;
}

/** What is printed: for people as it happens, for programs one object at the end. */
type Form = 'text' | 'json';

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('the race that mmrace began with, live: a server, two devices, one CPU')
    .option(
      '--host <address>',
      `address to listen on; 0.0.0.0 lets phones join (default: MMRACE_HOST or ${DEFAULT_CONFIG.host})`,
    )
    .option(
      '--port <number>',
      `port, 0 for any (default: MMRACE_PORT or ${DEFAULT_CONFIG.port})`,
      wholeNumber(0, 65_535),
    )
    .option('--once', 'end after the verdicts; exit 0 if all are as expected')
    .option(
      '--free <rounds>',
      'race without holds: count stale rounds, this many for each kernel',
      wholeNumber(2, FREE_ROUNDS_MAX),
    )
    .option('--record <dir>', 'write each run into a file of this folder, for mmrace replay')
    .option('--json', 'print one JSON object instead of text and pictures')
    .addHelpText('after', AFTERWORD)
    .action(ending(demo));
}

const AFTERWORD = `
Examples:
  mmrace demo                                 the verdicts with their pictures; then it serves
  mmrace demo --once --json
  mmrace demo --free 2000 --port 0
  mmrace demo --once --record runs && mmrace replay runs/*.jsonl

After the verdicts it goes on serving until Ctrl-C (exit 130) or SIGTERM (exit as with --once).
With --record each run of the race is one file; "mmrace replay FILE" executes it again without
network or clients, and exits 0 if the same event log and the same final state come of it.`;

async function demo({ host, port, record, once, free, json }: DemoOptions): Promise<ExitCode> {
  const signal = untilSignal();
  if (once !== true) await readyPage();
  const server = await startLocalServer(
    await serverConfig({ host, port, recordTo: record, logLevel: 'warn', drainMs: DRAIN_MS }),
  );
  const live = new LiveLab(server.openLab(DEMO_LAB, STOCK_MACHINE));
  try {
    say(`mmrace serves on ${server.url}; starting two devices and one CPU as processes`);
    const ran = await Promise.race([
      run(server, live, free, json === true ? 'json' : 'text'),
      signal.then(() => 'interrupted' as const),
    ]);
    if (ran === 'interrupted') {
      say('mmrace: interrupted before the answer was complete');
      return EXIT.INTERRUPTED;
    }
    if (free !== undefined || once === true) return ran;
    await live.renew(STOCK_MACHINE);
    const { lab } = server.openLab(DEMO_LAB, STOCK_MACHINE);
    const { url, token } = server;
    say(`\n${presenterLine(reachable(url), lab)}`);
    if (!isOwn(url) || token !== 'none') say(tokenLine(url, token));
    // Bots that raced for days would fill a folder of recordings.
    const bots = record === undefined ? startRacingBots(server) : 'none';
    try {
      if (bots !== 'none') say(roomWords(server, bots));
      say(whatNext(server, lab.joinCode));
      return (await signal) === 'SIGINT' ? EXIT.INTERRUPTED : ran;
    } finally {
      if (bots !== 'none') await bots.stop();
    }
  } finally {
    await live.end();
    await server.close();
  }
}

async function run(
  server: LocalServer,
  live: LiveLab,
  rounds: number | undefined,
  form: Form,
): Promise<ExitCode> {
  await live.start(server, SEED_CLIENTS);
  const names = SEED_CLIENTS.map(({ name }) => name).join(', ');
  say(`lab ${DEMO_LAB}: ${names} have joined over ${server.webSocketUrl}`);
  return rounds === undefined ? await forced(live, form) : await freeRunning(live, rounds, form);
}

/** Every order of events is forced by holds. */
async function forced(live: LiveLab, form: Form): Promise<ExitCode> {
  const verdicts: { readonly kernel: KernelId; readonly verdict: SeedVerdict }[] = [];
  for (const kernel of KERNELS) {
    for (const patch of PATCHES) {
      if (form === 'text') print(`\n=== ${kernelName(kernel, patch)} ===\n`);
      for (const scenario of SEED_SCENARIOS) {
        const verdict = await runSeedRace(live, { scenario, patch, kernel });
        verdicts.push({ kernel, verdict });
        if (form === 'text') print(verdictText(verdict));
      }
    }
  }
  const met = verdicts.filter(({ verdict }) => isAsExpected(verdict)).length;
  print(
    form === 'json'
      ? JSON.stringify({ verdicts: verdicts.map(verdictRecord) })
      : `${met} of ${verdicts.length} verdicts are as expected.`,
  );
  return met === verdicts.length ? EXIT.OK : EXIT.BROKEN;
}

/** No task is held: first come, first served. */
async function freeRunning(live: LiveLab, rounds: number, form: Form): Promise<ExitCode> {
  const results: FreeResult[] = [];
  for (const patch of PATCHES) {
    for (const [at, variant] of VARIANTS.entries()) {
      const share = Math.floor((rounds + at) / VARIANTS.length);
      results.push(await freeRace(live, { patch, variant, rounds: share }));
    }
  }
  if (form === 'json') print(JSON.stringify({ races: results }));
  else {
    print(freeTable(results));
    for (const patch of PATCHES) print(`${patch}: ${freeAnswer(results, patch)}`);
  }
  return freeExit(results);
}

async function freeRace(
  live: LiveLab,
  race: { readonly patch: string; readonly variant: FreeVariant; readonly rounds: number },
): Promise<FreeResult> {
  const { patch, variant, rounds } = race;
  await live.renew({ ...STOCK_MACHINE, patch });
  const progress = newProgress(`of ${rounds} rounds on ${patch} from ${variant}`);
  const counts = await runFreeRace((actor, verb) => live.perform(actor, verb), {
    variant,
    rounds,
    progress: (so) => progress.at(so.rounds, `${so.violations} stale`),
  });
  progress.end();
  return { patch, variant, counts, reported: reportsOf(live.machine.world.oracles.violations) };
}

/** What went wrong, and not which rule of the contract was broken before. */
function reportsOf(violations: Oracles['violations']): number {
  return violations.filter(({ oracle }) => oracle !== CONTRACT_ORACLE).length;
}

function kernelName(kernel: KernelId, patch: string): string {
  if (patch === 'stock') return `stock kernel ${kernel}`;
  return `kernel ${kernel} with the patch ${patch} ([PATCH v4 6/6], July 2020)`;
}

function roomWords({ url }: LocalServer, { lab }: RacingBots): string {
  const stage = `${reachable(url)}/lab/${lab.name}/stage`;
  return `
In the lab ${lab.name} two bots race until a person takes a seat: ${stage}
${presenterLine(reachable(url), lab)}
${joinPicture(url, lab.joinCode)}`;
}

function whatNext({ url, webSocketUrl, token, recordings }: LocalServer, code: string): string {
  const at = `--url ${webSocketUrl}${token === 'none' ? '' : ` --code ${code}`}`;
  const commands = [
    ['every event as it happens', `observe ${at}`],
    ['one more device', `device ${at} --name gpu7`],
    ['the same race without holds', 'demo --port 0 --free 2000'],
    ...recordings
      .slice(-2, -1)
      .map((file) => ['the last run again, without network', `replay ${file}`]),
  ];
  const lines = commands.map(([what, command]) => `  # ${what}\n  npx mmrace ${command}`);
  return `
The lab ${DEMO_LAB} stays open on ${reachable(url)}, with the stock kernel: open that address in a browser.
Or try next, in another terminal:
${lines.join('\n')}
Ctrl-C ends it.`;
}
