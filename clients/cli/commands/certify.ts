import { type ChildProcess, spawn } from 'node:child_process';
import type { Command } from 'commander';
import { Option } from 'commander';
import {
  type Certificate,
  type CertifyStrategy,
  certify,
} from '../../../server/certify/certify.ts';
import { choiceNames } from '../../../server/scenario/choice-names.ts';
import type { ScenarioPlan } from '../../../server/scenario/scenario-plan.ts';
import { plainVerdict } from '../../../server/verify/answer/plain.ts';
import { suggestion } from '../../../server/vocabulary/nearest-word.ts';
import { CONTRACT_ORACLE } from '../../../server/vocabulary/rules.ts';
import {
  type CertifiedAs,
  certificateObject,
  certificateText,
} from '../certify/certificate-text.ts';
import { type LabWire, openLabWire } from '../certify/lab-wire.ts';
import { ending, print, say } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { reachingAdvice } from '../explore/reaching-advice.ts';
import { keptOf, reproduceLine, tokenOf } from '../explore/saved-counterexample.ts';
import { textOf } from '../explore/text.ts';
import { UsageError } from '../failure.ts';
import { kernelOption } from '../kernel-option.ts';
import { patchOption } from '../patch-option.ts';
import { newProgress } from '../progress.ts';
import { reachedText } from '../reached-text.ts';
import { type ChoiceOptions, planFrom, scenarioFrom } from '../scenario-choice.ts';
import { wholeNumber } from '../whole-number.ts';
import { exitCodeOf as exitCodeOfVerdict, verdictOf } from './explore.ts';

const STRATEGIES = ['near', 'random', 'pct'] as const;
/** Everybody else in the scenario keeps the contract, unless --driver says otherwise. */
const OTHERS_DRIVER = 'corrected';
/** Unless --budget-executions says otherwise: of a device outside, and of a driver here. */
const SCHEDULES_MAX = 1_000;
const EXECUTIONS_MAX = 1_000_000;

export interface CertifyCommandOptions extends ChoiceOptions {
  readonly external?: string;
  readonly run?: string;
  readonly host: string;
  readonly port: number;
  readonly joinSeconds: number;
  readonly strategy: CertifyStrategy;
  readonly deviations: number;
  readonly budgetExecutions?: number;
  readonly budgetSeconds: number;
  readonly seed: number;
  readonly depth: number;
  readonly answerMs: number;
  readonly quietMs: number;
  readonly json?: true;
}

export function addCertifyCommand(program: Command): void {
  program
    .command('certify')
    .description(
      'a device or driver of your own against the driver contract: holds, broken or unknown',
    )
    .argument('<scenario>', 'a scenario file (*.yaml)')
    .option('--external <actor>', 'the device of the scenario that joins from outside')
    .option('--run <command>', 'start it: with MMRACE_URL, MMRACE_LAB and MMRACE_NAME set')
    .addOption(kernelOption())
    .addOption(patchOption())
    .option(
      '--driver <actor=name>',
      `the driver of another device, or of all (${OTHERS_DRIVER} unless said)`,
      (value: string, earlier: readonly string[]) => [...earlier, value],
      [],
    )
    .option('--devices <number>', 'where the scenario has them as a parameter', wholeNumber(1, 16))
    .option('--migrators <number>', 'likewise', wholeNumber(0, 16))
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <number>', '0 takes any free one', wholeNumber(0, 65_535), 7071)
    .option('--join-seconds <number>', 'wait so long for it', wholeNumber(1, 86_400), 60)
    .addOption(
      new Option('--strategy <name>', 'near: every order near to first come, first served')
        .choices(STRATEGIES)
        .default('near'),
    )
    .option('--deviations <number>', 'near: in how many places at most', wholeNumber(0, 8), 1)
    .option(
      '--budget-executions <number>',
      'stop after so many (1,000,000; 1,000 with --external)',
      wholeNumber(1, 1e12),
    )
    .option('--budget-seconds <number>', 'stop after so long', wholeNumber(1, 1e6), 60)
    .option('--seed <number>', 'for the random strategies', wholeNumber(0, 2 ** 31 - 1), 1)
    .option('--depth <number>', 'pct: ordering constraints of the bug', wholeNumber(1, 16), 3)
    .option(
      '--answer-ms <number>',
      'then a device that must speak is silent',
      wholeNumber(1, 600_000),
      2_000,
    )
    .option('--quiet-ms <number>', 'time for a device that may speak', wholeNumber(1, 60_000), 20)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Without --external the driver runs here, and every interleaving is searched for breaches of the contract alone.
With it the device is a client in any language: each schedule resets it, grants its frames one at a time, and is
run twice. Found are: a breach of the contract (docs/CONTRACT.md), what the scenario forbids, a frame that differs
from the first run, and silence.

Exit codes: 0 holds, 1 broken, 2 unknown (also: not joined), 64 the question is wrong.

Examples:
  mmrace certify seed-zero-page --external reader0
  mmrace certify retry-ignored --external dev0 --run 'python3 my_device.py'
  mmrace certify retry-ignored --external dev0 --strategy random --seed 7 --json
  mmrace certify retry-ignored --driver dev0=./my-driver.ts`,
    )
    .action(ending(runCertify));
}

async function runCertify(file: string, options: CertifyCommandOptions): Promise<ExitCode> {
  if (options.external === undefined) return await certifyDriver(file, options);
  return await certifyExternal(file, { ...options, external: options.external });
}

/** A driver in this process: every interleaving, judged by the contract alone. */
async function certifyDriver(file: string, options: CertifyCommandOptions): Promise<ExitCode> {
  if (options.driver.length === 0) {
    throw new UsageError(
      'certify: say which device, with --external ACTOR, or which driver, with --driver ACTOR=NAME',
    );
  }
  const { condition: _, ...scenario } = scenarioFrom(file);
  const driver = [OTHERS_DRIVER, ...options.driver];
  const plan = await planFrom({ ...scenario, oracles: [CONTRACT_ORACLE] }, { ...options, driver });
  const strategy = options.strategy === 'near' ? 'dpor' : options.strategy;
  const { budgetExecutions = EXECUTIONS_MAX } = options;
  const progress = newProgress('executions');
  const verdict = verdictOf(plan, { ...options, strategy, budgetExecutions }, (count) =>
    progress.at(count),
  );
  progress.end();
  const kept = keptOf(verdict, { patch: options.patch, driver, strategy });
  const object = { patch: options.patch, token: tokenOf(kept) };
  const reached = reachedText(verdict.reach?.functions ?? [], verdict.pairs);
  print(
    options.json === true
      ? JSON.stringify(plainVerdict(plan, object, verdict))
      : `${textOf(plan, options, verdict)}\n  ${reached}${toTry(verdict.bound)}${reproduceLine(kept)}`,
  );
  return exitCodeOfVerdict(verdict);
}

type ExternalOptions = CertifyCommandOptions & { readonly external: string };

async function certifyExternal(file: string, options: ExternalOptions): Promise<ExitCode> {
  const driver = [OTHERS_DRIVER, ...options.driver];
  const plan = await planFrom(scenarioFrom(file), { ...options, driver });
  checkDevice(plan, options.external);
  const wire = await openLabWire(options.external, { host: options.host, port: options.port });
  const device = options.run === undefined ? 'none' : startDevice(options.run, wire);
  try {
    if (options.run === undefined) printHowToJoin(wire);
    const joining = wire.joined(options.joinSeconds * 1000);
    const joined = await (device === 'none'
      ? joining
      : Promise.race([joining, untilEnded(device, options.run ?? '')]));
    const certificate =
      joined === 'joined' ? await certified(plan, wire, options) : notJoined(options);
    const { kernel, ...names } = choiceNames(plan, options.patch);
    const { name } = plan.scenario;
    const as = {
      scenario: name,
      kernel: plan.kernel,
      patch: kernel,
      ...names,
      device: options.external,
    };
    print(shown(as, certificate, options));
    return exitCodeOf(certificate);
  } finally {
    if (device !== 'none') stopDevice(device);
    await wire.close();
  }
}

async function certified(
  plan: ScenarioPlan,
  wire: LabWire,
  options: ExternalOptions,
): Promise<Certificate> {
  const progress = newProgress('schedules');
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
  };
  process.once('SIGINT', interrupt);
  try {
    return await certify(plan, options.external, wire, {
      strategy: options.strategy,
      deviations: options.deviations,
      budgetSchedules: options.budgetExecutions ?? SCHEDULES_MAX,
      budgetSeconds: options.budgetSeconds,
      seed: options.seed,
      depth: options.depth,
      answerMs: options.answerMs,
      quietMs: options.quietMs,
      clock: () => performance.now(),
      onProgress: (schedules) => progress.at(schedules),
      goOn: () => (interrupted ? 'stop' : 'go on'),
    });
  } finally {
    process.off('SIGINT', interrupt);
    progress.end();
  }
}

function checkDevice({ devices, scenario }: ScenarioPlan, name: string): void {
  const names = devices.map((device) => device.name);
  if (names.includes(name)) return;
  const hint = suggestion(name, names) || `; devices are ${names.join(', ') || 'none'}`;
  throw new UsageError(`--external: ${scenario.name} has no device "${name}"${hint}`);
}

function printHowToJoin(wire: LabWire): void {
  say(
    `waiting for ${wire.device}: let it join the lab ${wire.lab} at ${wire.webSocketUrl}, for example`,
  );
  say(`  mmrace device --url ${wire.webSocketUrl} --lab ${wire.lab} --name ${wire.device}`);
}

/** What the device says of itself goes where talk goes. */
function startDevice(command: string, wire: LabWire): ChildProcess {
  const env = {
    ...process.env,
    MMRACE_URL: wire.webSocketUrl,
    MMRACE_LAB: wire.lab,
    MMRACE_NAME: wire.device,
  };
  // A group of its own: the shell may have started more than one process.
  return spawn(command, { shell: true, env, stdio: ['ignore', 2, 2], detached: true });
}

function stopDevice({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid);
  } catch {
    // It has ended by itself.
  }
}

/** Rejects when the device ends. */
function untilEnded(device: ChildProcess, command: string): Promise<never> {
  return new Promise((_, reject) => {
    device.once('exit', (code, signal) => {
      const how = signal ?? `exit code ${code}`;
      reject(new UsageError(`--run: "${command}" ended with ${how} before it had joined`));
    });
  });
}

function notJoined({ joinSeconds }: ExternalOptions): Certificate {
  return {
    verdict: 'unknown',
    bound: { kind: 'not joined', seconds: joinSeconds },
    schedules: 0,
    runs: 0,
    steps: 0,
    seconds: joinSeconds,
    windowEntered: 0,
    outcomes: new Map(),
    finding: 'none',
    reach: { functions: [], patches: [], drivers: [] },
    pairs: {},
  };
}

function shown(as: CertifiedAs, certificate: Certificate, { json }: CertifyCommandOptions): string {
  return json === true
    ? JSON.stringify(certificateObject(as, certificate))
    : `${certificateText(as, certificate)}${toTry(certificate.bound)}`;
}

function toTry(bound: { readonly kind: string }): string {
  const advice = reachingAdvice(bound);
  return advice === '' ? '' : `\n  ${advice}`;
}

function exitCodeOf({ verdict, bound }: Certificate): ExitCode {
  if (bound.kind === 'stopped' && bound.why === 'interrupted') return EXIT.INTERRUPTED;
  if (verdict === 'holds') return EXIT.OK;
  return verdict === 'broken' ? EXIT.BROKEN : EXIT.UNKNOWN;
}
