/**
 * The event log: what happened in a lab, in order. All reports, oracles and viewers read this and nothing else.
 * Pages are page indices (address / 4096), frames are numbers, values are hexadecimal strings.
 */
import { type Static, Type } from 'typebox';

const page = Type.Integer({ minimum: 0, title: 'page' });
const frame = Type.Integer({ minimum: 0, title: 'frame' });
const mm = Type.Integer({ minimum: 0, title: 'mm' });
const access = Type.Union([Type.Literal('read'), Type.Literal('write')]);
const pages = { first: page, end: page };
const owner = Type.String();
const value = Type.String({
  title: 'u64',
  description: 'u64 at the start of the page, 0x-hexadecimal',
});

export const PteView = Type.Union(
  [
    Type.Object({ state: Type.Literal('none') }),
    Type.Object({ state: Type.Literal('zero') }),
    Type.Object({
      state: Type.Union([
        Type.Literal('present'),
        Type.Literal('migration'),
        Type.Literal('device-private'),
        Type.Literal('device-exclusive'),
      ]),
      pfn: frame,
      access,
    }),
    Type.Object({ state: Type.Literal('swap'), slot: Type.Integer({ minimum: 0 }) }),
    Type.Object({ state: Type.Literal('poison') }),
  ],
  { title: 'pte view', description: 'A page table entry as people speak of it.' },
);
export type PteView = Static<typeof PteView>;

export const MirrorView = Type.Union(
  [
    Type.Object({ state: Type.Literal('none') }),
    Type.Object({
      state: Type.Literal('mapped'),
      pfn: frame,
      access: Type.Union([Type.Literal('read'), Type.Literal('write'), Type.Literal('exclusive')]),
    }),
  ],
  { title: 'mirror view', description: "An entry of a device's own page table." },
);

const scalar = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);

export const EventBody = Type.Union([
  Type.Object(
    { kind: Type.Literal('attach'), role: Type.String() },
    { description: 'An actor enters the lab.' },
  ),
  Type.Object({ kind: Type.Literal('detach') }, { description: 'An actor leaves the lab.' }),
  Type.Object(
    { kind: Type.Literal('fenced'), device: owner },
    { description: 'A device did not answer in time, or not as it must: its DMA is refused.' },
  ),
  Type.Object(
    {
      kind: Type.Literal('call'),
      function: Type.String(),
      args: Type.Record(Type.String(), scalar),
    },
    { description: "An actor calls a kernel function, named in the kernel's spelling." },
  ),
  Type.Object(
    { kind: Type.Literal('return'), function: Type.String(), result: Type.String() },
    { description: 'A call of an actor returns: "OK", an errno name, or what it got.' },
  ),
  Type.Object(
    {
      kind: Type.Literal('callback'),
      function: Type.String(),
      device: owner,
      args: Type.Record(Type.String(), scalar),
    },
    { description: 'The kernel calls a device: invalidate, migrate_to_ram, page_free, release.' },
  ),
  Type.Object(
    {
      kind: Type.Literal('callback-return'),
      function: Type.String(),
      device: owner,
      result: Type.String(),
    },
    { description: 'A device has answered the kernel.' },
  ),
  Type.Object(
    { kind: Type.Literal('pte'), mm, page, from: PteView, to: PteView },
    { description: 'An entry of a CPU page table changed.' },
  ),
  Type.Object(
    {
      kind: Type.Literal('invalidate_range_start'),
      id: Type.Integer(),
      mm,
      ...pages,
      event: Type.String(),
      owner,
    },
    { description: 'A bracket of a range notifier begins; id pairs start and end.' },
  ),
  Type.Object(
    { kind: Type.Literal('invalidate_range_end'), id: Type.Integer(), mm, ...pages },
    { description: 'A bracket of a range notifier ends.' },
  ),
  Type.Object(
    { kind: Type.Literal('migration-end'), device: owner, id: Type.Integer() },
    {
      description:
        "A migration of device was finalized: from here on its page table must agree with the CPU's again.",
    },
  ),
  Type.Object(
    {
      kind: Type.Literal('mirror'),
      device: owner,
      page,
      from: MirrorView,
      to: MirrorView,
    },
    { description: "An entry of a device's own page table changed." },
  ),
  Type.Object(
    {
      kind: Type.Literal('device-access'),
      device: owner,
      page,
      pfn: frame,
      mode: access,
      memory: Type.Union([Type.Literal('system'), Type.Literal('private')]),
      value,
    },
    { description: 'A device reached a frame: of system memory by DMA, or of its own memory.' },
  ),
  Type.Object(
    { kind: Type.Literal('cpu-access'), mm, page, pfn: frame, mode: access, value },
    {
      description:
        "A CPU thread loaded or stored, through this frame (its TLB's, if that was filled).",
    },
  ),
  Type.Object(
    {
      kind: Type.Literal('pin-access'),
      id: Type.Integer(),
      mm,
      page,
      pfn: frame,
      mode: access,
      value,
    },
    {
      description:
        'Memory was reached through a pin, by the frame that it was pinned as; page is where it was pinned.',
    },
  ),
  Type.Object(
    { kind: Type.Literal('signal'), mm, page, signal: Type.String() },
    { description: 'A CPU access raised a signal.' },
  ),
  Type.Object(
    { kind: Type.Literal('fault'), mm, page, mode: access },
    { description: 'A CPU page fault is taken.' },
  ),
  Type.Object(
    { kind: Type.Literal('tlb-flush'), mm, ...pages },
    { description: 'The CPU TLBs were flushed for a range.' },
  ),
  Type.Object(
    { kind: Type.Literal('frame-alloc'), pfn: frame },
    { description: 'A frame was taken into use.' },
  ),
  Type.Object(
    { kind: Type.Literal('frame-free'), pfn: frame },
    { description: 'A frame lost its last reference.' },
  ),
  Type.Object(
    {
      kind: Type.Literal('vma'),
      mm,
      ...pages,
      change: Type.String(),
      prot: Type.String(),
    },
    { description: 'A mapping appeared, went or changed.' },
  ),
  Type.Object(
    { kind: Type.Literal('lock'), lock: Type.String(), mode: Type.String() },
    { description: 'An actor got a lock.' },
  ),
  Type.Object(
    { kind: Type.Literal('unlock'), lock: Type.String() },
    { description: 'An actor let go of a lock.' },
  ),
  Type.Object(
    {
      kind: Type.Literal('violation'),
      oracle: Type.String(),
      rule: Type.String(),
      text: Type.String(),
      device: owner,
      page,
      cpuHistory: Type.Array(Type.Integer()),
      deviceHistory: Type.Array(Type.Integer()),
    },
    {
      description:
        'An oracle or a contract rule was violated. The histories name the events (by n) that led to it.',
    },
  ),
  Type.Object(
    { kind: Type.Literal('note'), text: Type.String() },
    { description: 'A remark of the presenter: a phase of a demo, a patch chosen.' },
  ),
]);
export type EventBody = Static<typeof EventBody>;

export const Event = Type.Intersect(
  [
    Type.Object({
      n: Type.Integer({ minimum: 1, description: 'Counts from 1, without gaps.' }),
      actor: Type.String({ description: 'who acted' }),
      task: Type.String({ description: "the task's name" }),
    }),
    EventBody,
  ],
  { title: 'event', description: 'Something that happened in a lab.' },
);
export type Event = EventBody & {
  readonly n: number;
  readonly actor: string;
  readonly task: string;
};

/** Where events go. The kernel never reads them back. */
export type EventSink = (body: EventBody) => void;
