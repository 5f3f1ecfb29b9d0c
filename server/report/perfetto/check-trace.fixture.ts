/** Reads a trace back as Perfetto would, and says what Perfetto would drop, join or nest wrongly. For tests. */
interface Read {
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly id?: number | string;
  readonly cat?: string;
  readonly name: string;
  readonly bp?: string;
  readonly args?: { readonly [name: string]: unknown };
}

export interface CheckedTrace {
  readonly records: readonly Read[];
  readonly flows: number;
  readonly complaints: readonly string[];
}

export function checkTrace(text: string): CheckedTrace {
  const parsed = JSON.parse(text) as { displayTimeUnit: string; traceEvents: Read[] };
  const records = parsed.traceEvents;
  const slices = records.filter(({ ph }) => ph === 'X');
  const flows = grouped(records.filter(({ ph }) => ['s', 't', 'f'].includes(ph)));
  const inFlight = grouped(records.filter(({ ph }) => ph === 'b' || ph === 'e'));
  const complaints = [
    ...(parsed.displayTimeUnit === 'ns' ? [] : ['times are not shown in nanoseconds']),
    ...[...flows.values()].flatMap((flow) => complainOfFlow(flow, slices)),
    ...[...inFlight.values()].flatMap(complainOfInFlight),
    ...complainOfIds([...flows.values(), ...inFlight.values()]),
    ...complainOfNesting(slices),
    ...complainOfTimes(records),
    ...complainOfNames(records),
  ];
  return { records, flows: flows.size, complaints };
}

/** What belongs together has the same number, category and name. */
function grouped(records: readonly Read[]): Map<string, Read[]> {
  const groups = new Map<string, Read[]>();
  for (const record of records) {
    const key = JSON.stringify([record.id, record.cat, record.name]);
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  return groups;
}

function complainOfFlow(flow: readonly Read[], slices: readonly Read[]): string[] {
  const who = `flow ${flow[0]?.id}`;
  const phases = flow
    .toSorted((a, b) => a.ts - b.ts)
    .map(({ ph }) => ph)
    .join('');
  return [
    ...(/^st?f$/.test(phases) ? [] : [`${who} goes ${phases}`]),
    ...flow
      .filter((each) => !slices.some((slice) => isInside(each, slice)))
      .map(({ ph, ts }) => `${who} has its ${ph} at ${ts} in no slice`),
    ...(flow.every(({ bp }) => bp === 'e') ? [] : [`${who} binds to the next slice`]),
  ];
}

function isInside({ pid, tid, ts }: Read, slice: Read): boolean {
  return slice.pid === pid && slice.tid === tid && slice.ts < ts && ts < endOf(slice);
}

function complainOfInFlight(pair: readonly Read[]): string[] {
  const phases = pair.toSorted((a, b) => a.ts - b.ts).map(({ ph }) => ph);
  return phases.join('') === 'be' ? [] : [`${pair[0]?.name} ${pair[0]?.id} goes ${phases}`];
}

function complainOfIds(groups: readonly (readonly Read[])[]): string[] {
  const ids = groups.map((group) => group[0]?.id);
  const odd = ids.filter((id) => typeof id !== 'number').map((id) => `id ${id} is no number`);
  return new Set(ids).size === ids.length ? odd : [...odd, 'an id is used twice'];
}

function complainOfNesting(slices: readonly Read[]): string[] {
  const complaints: string[] = [];
  const threads = Map.groupBy(slices, ({ pid, tid }) => `${pid} ${tid}`);
  for (const own of threads.values()) {
    const open: Read[] = [];
    for (const slice of own.toSorted((a, b) => a.ts - b.ts)) {
      while (open.length > 0 && endOf(open.at(-1) as Read) <= slice.ts) open.pop();
      const outer = open.at(-1);
      if (outer !== undefined && endOf(outer) <= endOf(slice)) {
        complaints.push(`${slice.name} at ${slice.ts} ends after ${outer.name} around it`);
      }
      open.push(slice);
    }
  }
  return complaints;
}

function complainOfTimes(records: readonly Read[]): string[] {
  const times = records
    .filter(({ ph }) => ph !== 'M')
    .flatMap((record) => (record.ph === 'X' ? [record.ts, endOf(record)] : [record.ts]))
    .map(nanoseconds);
  const seen = new Set<number>();
  return times.flatMap((time) => {
    const again = seen.has(time);
    seen.add(time);
    if (!Number.isInteger(time)) return [`${time} is between two nanoseconds`];
    return again ? [`two things happen at ${time} ns`] : [];
  });
}

function complainOfNames(records: readonly Read[]): string[] {
  const named = new Set(
    records.filter(({ name }) => name === 'thread_name').map(({ pid, tid }) => `${pid} ${tid}`),
  );
  return records
    .filter(({ ph, pid, tid }) => ph === 'X' && !named.has(`${pid} ${tid}`))
    .map(({ pid, tid }) => `thread ${tid} of ${pid} has no name`);
}

function endOf({ ts, dur }: Read): number {
  return nanoseconds(ts + (dur ?? 0)) / 1_000;
}

/** Whole, but for what floating point adds. */
function nanoseconds(microseconds: number): number {
  return Math.round(microseconds * 1e6) / 1_000;
}
