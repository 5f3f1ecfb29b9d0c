/**
 * A scenario to be played by clients: the machine that it needs, and its setup as inbound events, so that a
 * recording of the lab has it and replays it. Setup operations are done up to the first that is a device's: from
 * there on they are for those who join.
 */

import { isCpuCall } from '../abi/cpu-calls.ts';
import type { MachineConfig } from '../machine/machine-config.ts';
import type { Inbound } from '../machine/remote/inbound.ts';
import { jointName } from '../patches/joint-name.ts';
import type { CpuMethod, CpuParams } from '../protocol/cpu-requests.ts';
import type { LabSheet } from '../protocol/run-sheet.ts';
import { hexAddress } from '../vocabulary/address.ts';
import { type CallOp, callParams } from './op-params.ts';
import type { Op } from './op-schema.ts';
import { opWords } from './op-words.ts';
import { firstPageOf, pageOfPlace } from './places.ts';
import type { ScenarioPlan } from './scenario-plan.ts';
import type { Scenario, SetupOp } from './scenario-schema.ts';

export interface Seat {
  readonly name: string;
  readonly role: 'cpu' | 'device';
  /** Null for a CPU thread. */
  readonly driver: string | null;
  /** Its operations in words; of several threads one after the other. */
  readonly program: string[];
}

export interface LiveScenario {
  readonly config: MachineConfig;
  readonly setup: readonly Inbound[];
  readonly seats: readonly Seat[];
  /** Setup operations that are left: `dev0: migrate a`. */
  readonly todo: readonly string[];
  readonly sheet?: LabSheet;
  readonly page?: number;
}

type CpuRequest = {
  readonly [Method in CpuMethod]: { readonly method: Method; readonly params: CpuParams[Method] };
}[CpuMethod];

/** `plan` must have been made without patches of a user's own: the machine finds patches by name. */
export function liveScenario(plan: ScenarioPlan, patch: string): LiveScenario {
  const { scenario } = plan;
  const { swapSlots, thp, systemPages, ptrsPerPte, files } = scenario.machine ?? {};
  const { setup, todo } = setupOf(plan);
  return {
    config: {
      patch: jointName([...plan.choice.patches.map(({ id }) => id), patch]),
      kernel: plan.kernel,
      ...(swapSlots === undefined ? {} : { swapSlots }),
      ...(thp === undefined ? {} : { thp }),
      ...(systemPages === undefined ? {} : { systemPages }),
      ...(ptrsPerPte === undefined ? {} : { ptrsPerPte }),
      ...(files === undefined ? {} : { files }),
    },
    setup,
    todo,
    ...sheetOf(scenario),
    seats: plan.instances.map(({ name, kind, threads }) => ({
      name,
      // What a thread of the kernel does by itself, a client's thread asks for.
      role: kind === 'device' ? kind : 'cpu',
      driver: plan.devices.find((device) => device.name === name)?.driver.id ?? null,
      program: threads.flat().map(opWords),
    })),
  };
}

function sheetOf(scenario: Scenario): Pick<LiveScenario, 'sheet' | 'page'> {
  const { sheet } = scenario;
  return sheet === undefined ? {} : { sheet, page: pageOfPlace(scenario, sheet.at) };
}

function setupOf(plan: ScenarioPlan): Pick<LiveScenario, 'setup' | 'todo'> {
  const { scenario } = plan;
  const setup: Inbound[] = [];
  const present = new Set<string>();
  const ask = (actor: string, request: CpuRequest): void => {
    if (!present.has(actor)) setup.push({ kind: 'attach', actor, role: 'cpu' });
    present.add(actor);
    setup.push({ kind: 'request', actor, id: setup.length, ...request, contents: [] });
  };
  const mapper = plan.instances.find(({ kind }) => kind === 'cpu')?.name ?? 'cpu0';
  for (const vma of plan.vmas) {
    const { pages, prot, kind, file, offset } = vma;
    const params = {
      address: hexAddress(firstPageOf(vma)),
      pages,
      prot,
      kind,
      ...(file === undefined ? {} : { file }),
      ...(offset === undefined ? {} : { offset }),
    };
    ask(mapper, { method: 'mmap', params });
  }
  const ops = scenario.setup ?? [];
  let at = 0;
  for (; at < ops.length; at += 1) {
    const op = ops[at] as SetupOp;
    const request = cpuRequest(scenario, op);
    if (request === 'not of a client') break;
    ask(op.actor, request);
  }
  return { setup, todo: ops.slice(at).map((op) => `${op.actor}: ${opWords(op)}`) };
}

/** The request by which a CPU client would do `op`. */
function cpuRequest(scenario: Scenario, op: Op): CpuRequest | 'not of a client' {
  if (!isCpuCall(op.do)) return 'not of a client';
  const params = callParams(scenario, op as CallOp);
  return { method: op.do, params } as CpuRequest;
}
