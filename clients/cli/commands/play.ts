import type { Command } from 'commander';
import { DEMO_LAB } from '../../../server/app/start-server.ts';
import { jointName } from '../../../server/patches/joint-name.ts';
import { patchesIn } from '../../../server/patches/patch-set.ts';
import { describeEvent } from '../../../server/report/describe-event.ts';
import { DEFAULT_URL } from '../../agents/agent-process.ts';
import { ending, print, say } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readCounterexample } from '../explore/read-recorded.ts';
import { type Again, executeAgain, kernelAndDrivers } from '../explore/replay-counterexample.ts';
import { UsageError } from '../failure.ts';
import { labOption } from '../lab-options.ts';
import { startLocalServer } from '../local-server.ts';
import {
  type PlayableAgain,
  type Played,
  playCounterexample,
} from '../play/play-counterexample.ts';
import type { StageTarget } from '../play/stage.ts';

/** Milliseconds to find out whether a server is there. */
const LOOK_MS = 1_000;
/** Milliseconds for a step of the lab to happen live. */
const PATIENCE_MS = 5_000;
const LOCAL_SERVER = { port: 0, logLevel: 'warn', drainMs: 500 } as const;

interface PlayCommandOptions {
  readonly lab: string;
  readonly url?: string;
  readonly json?: true;
}

export function addPlayCommand(program: Command): void {
  program
    .command('play')
    .description('play a counterexample back into a live lab, with real clients, in order')
    .argument('<counterexample>', 'a token (mmr1.…) or a file of explore --save')
    .addOption(labOption('the lab to play in; it gets a new machine with the patch'))
    .option('--url <url>', `WebSocket address of the server (default: MMRACE_URL, ${DEFAULT_URL})`)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
The actors join as clients with connections of their own; the lab is paused, and every step is
taken in the order of the counterexample, in the server or in a client. Watch it with
"mmrace observe" or in a browser. Where no server answers and --url is not given, one is started
for the while.

Exit codes: 1 it fails live as promised, 2 the order could not be forced (the step is named) or
nothing failed, 64 the counterexample or the lab cannot be used.

Examples:
  mmrace play mmr1.… --lab demo
  mmrace play found.json --lab race1 --url ws://10.0.0.7:7070/ws`,
    )
    .action(ending(play));
}

async function play(word: string, options: PlayCommandOptions): Promise<ExitCode> {
  const again = playable(await executeAgain(readCounterexample(word)));
  const { lab } = options;
  const given = options.url ?? process.env.MMRACE_URL;
  const { config } = again.plan;
  if (given !== undefined || (isPlain(config) && (await answers(DEFAULT_URL)))) {
    const url = given ?? DEFAULT_URL;
    if (!isPlain(config)) {
      throw new UsageError(
        `the scenario needs a machine of its own (${JSON.stringify(config)}): play it without --url`,
      );
    }
    return printPlayed(again, await playIn(again, { url, lab }, options), options);
  }
  const server = await startLocalServer(LOCAL_SERVER);
  try {
    say(`mmrace serves on ${server.url} for the while`);
    const { kernel } = again.plan;
    const machine = {
      patch: jointName(again.plan.choice.patches.map(({ id }) => id)),
      kernel,
      ...config,
    };
    server.openLab(lab === DEMO_LAB && !isPlain(config) ? `${lab}-1` : lab, machine);
    const target = { url: server.webSocketUrl, lab: isPlain(config) ? lab : `${lab}-1` };
    return printPlayed(again, await playIn(again, target, options), options);
  } finally {
    await server.close();
  }
}

/** Throws: UsageError. */
function playable(again: Again): PlayableAgain {
  const { counterexample, plan, ran } = again;
  const { patch } = counterexample;
  if (plan === 'a live moment') {
    throw new UsageError(
      'it begins within a recorded run: play takes counterexamples of scenarios',
    );
  }
  if (ran.outcome === 'ends otherwise') {
    throw new UsageError('it does not fail any more in the lab either: see mmrace replay');
  }
  if ('unknown' in patchesIn(patch.name)) {
    throw new UsageError(`${patch.name}: a live lab takes only the patches that ship`);
  }
  return { ...again, plan };
}

/** A machine as every lab has it. */
function isPlain(config: object): boolean {
  return Object.keys(config).length === 0;
}

async function answers(webSocketUrl: string): Promise<boolean> {
  const url = new URL('/healthz', webSocketUrl.replace(/^ws/, 'http'));
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(LOOK_MS) })).ok;
  } catch {
    return false;
  }
}

function playIn(
  again: PlayableAgain,
  target: StageTarget,
  { json }: PlayCommandOptions,
): Promise<Played> {
  const { counterexample } = again;
  if (json !== true) {
    print(
      `${counterexample.scenario.name} in the lab ${target.lab} (${kernelAndDrivers(counterexample)})`,
    );
  }
  const width = String(counterexample.steps.length).length;
  return playCounterexample(again, {
    target,
    patienceMs: PATIENCE_MS,
    onStep: (step, { identity, pending }, where) => {
      if (json === true) return;
      const who = `${identity.actor} (${identity.name})`;
      print(`${String(step).padStart(width + 1)}. ${who.padEnd(32)} ${pending.at}  [${where}]`);
    },
    onEvent: (event) => {
      if (json !== true && event.kind === 'violation') print(describeEvent(event));
    },
  });
}

function printPlayed(
  { counterexample }: Again,
  played: Played,
  { json }: PlayCommandOptions,
): ExitCode {
  if (json === true) print(JSON.stringify({ scenario: counterexample.scenario.name, ...played }));
  else print(sentence(played, counterexample.steps.length));
  if (played.outcome !== 'reproduced') return EXIT.UNKNOWN;
  return counterexample.found.verdict === 'broken' ? EXIT.BROKEN : EXIT.OK;
}

function sentence(played: Played, steps: number): string {
  switch (played.outcome) {
    case 'reproduced':
      return `Reproduced live in ${played.steps} steps: ${played.seen}`;
    case 'not seen':
      return `The order was forced in all ${played.steps} steps, but ${played.why}`;
    case 'not forced':
      return `The order could not be forced at step ${played.step} of ${steps}: ${played.why}`;
  }
}
