/**
 * The world of a recorded live run at one of its entries, with all that may happen next as tasks: what ran in the
 * kernel, what devices were asked and have not answered, and what the clients did next, each in its own order.
 */

import type { Event } from '../../abi/event.ts';
import type { Explored } from '../../explorer/explored.ts';
import type { Failure } from '../../explorer/failure.ts';
import type { Journal } from '../../journal/read-journal.ts';
import type { Outbound } from '../../machine/remote/inbound.ts';
import { LiveMachine } from '../../machine/remote/live-machine.ts';
import { type World, waitingFor } from '../../machine/world.ts';
import type { Patch } from '../../patches/patch.ts';
import { PATCHES } from '../../patches/patches.ts';
import { violationOf } from '../../scenario/watch-run.ts';
import type { RunningTask } from '../../scheduler/scheduler.ts';
import { type ClientScript, clientScripts } from './client-script.ts';
import { type RecordedRun, recordedRun } from './recorded-run.ts';
import { type ClientAtMoment, ScriptedClient } from './scripted-client.ts';

/** Everything that is worked out once, before any world is built. */
export interface Moment {
  readonly run: RecordedRun;
  /** The number of the last entry that has happened. */
  readonly step: number;
  /** The entries after it that are played, at most. */
  readonly entries: number;
  readonly scripts: readonly ClientScript[];
  readonly atMoment: ReadonlyMap<string, ClientAtMoment>;
}

export interface MomentRun extends Explored {
  readonly world: World;
  /** Clients that were answered otherwise than in the recording, and where. */
  departures(): readonly string[];
}

/** Throws: UnknownPatch; what the machine throws. */
export function momentOf(journal: Journal, step: number, entries: number): Moment {
  const run = recordedRun(journal, step + entries);
  const scripts = clientScripts(run, step);
  const atMoment = new Map(scripts.map(({ actor }) => [actor, clientAt(run, step, actor)]));
  return { run, step, entries: run.entries.length - step, scripts, atMoment };
}

function clientAt(run: RecordedRun, step: number, actor: string): ClientAtMoment {
  const own = [...run.requests.values()].filter(({ request }) => request.actor === actor);
  const done = own.filter(({ answeredAt }) => answeredAt <= step);
  const resultOf = (method: string): { readonly [name: string]: unknown }[] =>
    done.flatMap(({ request, response }) =>
      request.method === method && response !== 'none' && response.outcome.ok
        ? [response.outcome.result as { readonly [name: string]: unknown }]
        : [],
    );
  const finalized = done
    .filter(({ request }) => request.method === 'migrate_vma_finalize')
    .map(({ request }) => (request.params as { readonly migrate: number }).migrate);
  const answers = run.questions.filter(
    ({ question, answeredAt }) => question.actor === actor && answeredAt <= step,
  );
  const sequences = answers.flatMap(({ answer }) => {
    const outcome = answer === 'none' ? undefined : answer.outcome;
    if (outcome?.ok !== true) return [];
    const { invalidate_seq: seq } = outcome.result as { readonly invalidate_seq?: number };
    return seq === undefined ? [] : [seq];
  });
  const inserted = resultOf('mmu_interval_notifier_insert').map((one) =>
    Number(one.invalidate_seq),
  );
  return {
    sequence: sequences.at(-1) ?? inserted.at(-1) ?? 1,
    begun: Number(resultOf('mmu_interval_read_begin').at(-1)?.seq ?? 0),
    mmapLocks: resultOf('mmap_read_lock').length - resultOf('mmap_read_unlock').length,
    migrations: resultOf('migrate_vma_setup')
      .map(({ migrate }) => Number(migrate))
      .filter((migrate) => !finalized.includes(migrate)),
    answers: done.flatMap(({ response }) => (response === 'none' ? [] : [response])),
    open: own.filter(({ n, answeredAt }) => n <= step && answeredAt > step),
  };
}

/** The world at the moment, its future standing ready. `patches`: by id. Throws: what the machine throws. */
export function newMomentRun(
  moment: Moment,
  patches: ReadonlyMap<string, Patch> = PATCHES,
): MomentRun {
  const { run, step, scripts } = moment;
  const clients = new Map<string, ScriptedClient>();
  let state: 'past' | 'future' = 'past';
  let failure: Failure | 'none' = 'none';
  const machine: LiveMachine = new LiveMachine(
    run.config,
    {
      outbound: (outbound) => {
        if (state === 'future') deliver(machine, clients, outbound);
      },
      event: (event) => {
        if (state === 'future' && failure === 'none') failure = failureIn(event);
      },
    },
    patches,
  );
  for (const { inbound } of run.entries.slice(0, step)) machine.accept(inbound);
  state = 'future';
  for (const [at, script] of scripts.entries()) {
    const knows = moment.atMoment.get(script.actor);
    if (knows !== undefined) {
      clients.set(script.actor, new ScriptedClient(machine, script, at, knows));
    }
  }
  const { world } = machine;
  for (const { n, question, answeredAt } of run.questions) {
    if (n <= step && answeredAt > step) deliver(machine, clients, question);
  }
  for (const client of clients.values())
    world.scheduler.spawn(client.actor, 'client', client.play());
  const departures = (): string[] =>
    [...clients.values()].flatMap(({ actor, departed }) =>
      departed === 'no' ? [] : [`${actor} at ${departed.at}`],
    );
  return {
    world,
    departures,
    scheduler: world.scheduler,
    failure: () => failure,
    failureAtEnd: (stuck) => failureAtEnd(machine, clients, stuck),
    windowEntered: () => true,
    outcome: () => outcomeOf(machine, departures()),
    alsoReads: () => [],
  };
}

function deliver(
  machine: LiveMachine,
  clients: ReadonlyMap<string, ScriptedClient>,
  outbound: Outbound,
): void {
  const client = clients.get(outbound.actor);
  if (client === undefined) return;
  switch (outbound.kind) {
    case 'response':
      client.answered(outbound);
      return;
    case 'question':
      machine.world.scheduler.spawn(
        outbound.actor,
        `answer ${outbound.method}`,
        client.answer(outbound),
      );
      return;
    case 'tell':
      client.heard(outbound.method);
  }
}

/** The oracles of what memory is like; the contract's rules are about how it came to be so. */
function failureIn(event: Event): Failure | 'none' {
  if (event.kind !== 'violation' || !event.rule.startsWith('OR')) return 'none';
  return violationOf(event);
}

/** Who departed or was cut off while it held something may keep others waiting: that says nothing about the kernel. */
function failureAtEnd(
  machine: LiveMachine,
  clients: ReadonlyMap<string, ScriptedClient>,
  stuck: readonly RunningTask[],
): Failure | 'none' {
  const silent = [...clients.values()].some(({ departed, cut }) => departed !== 'no' || cut);
  const inKernel = stuck.filter(({ identity }) => identity.name !== 'client');
  if (inKernel.length === 0 || silent || machine.stallers().length > 0) return 'none';
  const actors = inKernel.map(({ identity }) => identity.actor);
  const text = `stuck: ${inKernel.map(waitingFor).join('; ')}`;
  return { kind: 'violation', rule: 'OR5', text, actors };
}

/** Entries of the CPU and of the devices at the end, and who departed. */
function outcomeOf(machine: LiveMachine, departures: readonly string[]): string {
  const { ptes, mirrors } = machine.view();
  const address = (page: number) => `0x${(page * 4096).toString(16)}`;
  return [
    ...departures.map((where) => `departed: ${where}`),
    ...ptes.map(({ page, entry }) => `${address(page)}=${entry.state}`),
    ...mirrors.map(({ device, page, entry }) => `${device}:${address(page)}=${entry.state}`),
  ].join('; ');
}
