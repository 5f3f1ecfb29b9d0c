/** A finding of fuzz as a scenario: what came one after the other is its setup, what raced is its programs. */
import type { FindingFile } from '../../../server/conformance/fuzz/finding-file.ts';
import { TRACE_VERBS, type TraceOp } from '../../../server/conformance/traces/trace-format.ts';
import { readScenario } from '../../../server/scenario/read-scenario.ts';
import type { Scenario } from '../../../server/scenario/scenario-schema.ts';
import { PAGE_SIZE } from '../../../server/vocabulary/address.ts';
import { UsageError } from '../failure.ts';

const CPU = 'cpu0';
const DEVICE = 'dev0';

interface Fields {
  readonly [field: string]: unknown;
}

/** Throws: UsageError where the finding does what no scenario says. */
export function scenarioOfFinding(name: string, { kernel, program }: FindingFile): Scenario {
  const steps = program.steps.map((step) => step.map(({ op }) => op as TraceOp & Fields));
  const alone = steps.slice(0, -1).flat();
  const vmas = alone
    .filter(({ op }) => op === 'mmap')
    .map(({ addr, pages, prot, kind }, at) => {
      return { name: `a${at}`, address: Number(addr), pages: Number(pages), prot, kind };
    });
  const racing = steps.at(-1) ?? [];
  const said = (op: TraceOp & Fields) => opOf(op, vmas);
  const threadsOf = (actor: string) => {
    const threads = racing.filter((op) => actorOf(op) === actor).map((op) => [said(op)]);
    return threads.length === 0 ? {} : { threads };
  };
  const text = JSON.stringify({
    name,
    title: `${name}, as it was found`,
    provenance: 'npx mmrace fuzz',
    machine: { kernel },
    vmas,
    setup: alone
      .filter(({ op }) => op !== 'mmap')
      .map((op) => ({ actor: actorOf(op), ...said(op) })),
    actors: [
      { name: CPU, kind: 'cpu', ...threadsOf(CPU) },
      { name: DEVICE, kind: 'device', ...threadsOf(DEVICE) },
      ...witnessOf(racing.map(said)),
    ],
    ...lossOf(racing.map(said)),
    expect: { patches: { stock: 'broken' } },
  });
  const read = readScenario(text, name);
  if (read.ok) return read.scenario;
  const [problem] = read.problems;
  throw new UsageError(`${name} is no scenario: ${problem?.path} ${problem?.message}`);
}

function actorOf({ dev }: Fields): string {
  return dev === undefined ? CPU : DEVICE;
}

/** A write of a device that is lost does harm once it is read: a thread that does so when all others are done. */
function witnessOf(racing: readonly { readonly do: string; readonly at: string }[]): object[] {
  const write = racing.find((op) => op.do === 'write');
  if (write === undefined) return [];
  const waits = [CPU, DEVICE]
    .filter((actor) => racing.some((op) => isOf(actor, op.do)))
    .map((actor) => ({ do: 'wait', for: actor }));
  return [
    { name: 'witness', kind: 'cpu', program: [...waits, { do: 'load', at: write.at, as: 'r0' }] },
  ];
}

/** Then only that counts: what the witness reads. */
function lossOf(racing: readonly { readonly do: string; readonly value: unknown }[]): object {
  const write = racing.find((op) => op.do === 'write');
  if (write === undefined) return {};
  return { condition: { forbid: `witness.r0 != ${Number(write.value)}` }, oracles: [] };
}

function isOf(actor: string, op: string): boolean {
  const isCpu = ['load', 'store', 'madvise', 'munmap', 'mprotect', 'mremap'].includes(op);
  return (actor === CPU) === isCpu;
}

interface Mapped {
  readonly name: string;
  readonly address: number;
  readonly pages: number;
}

function opOf(
  { op, addr, pages, value, values, advice, prot }: TraceOp & Fields,
  vmas: readonly Mapped[],
) {
  const address = Number(addr);
  const end = (vma: Mapped) => vma.address + vma.pages * PAGE_SIZE;
  const vma = vmas.find((one) => one.address <= address && address < end(one));
  const page = (address - (vma?.address ?? 0)) / PAGE_SIZE;
  const [first] = Array.isArray(values) ? values : [];
  return {
    do: TRACE_VERBS[op as keyof typeof TRACE_VERBS] ?? op,
    at: `${vma?.name}+${page}`,
    // As JSON has it: what is undefined is not there.
    pages,
    value: value ?? first,
    advice,
    prot,
  };
}
