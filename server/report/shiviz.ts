/**
 * The log for ShiViz: two lines for each event, its words and the vector clock of its actor. A file begins with
 * the expression that cuts it into events and the one that cuts it into runs. Clocks grow along the causes that
 * timeline/causes.ts names; what no message, lock or entry orders stays concurrent.
 */

import type { Event } from '../abi/event.ts';
import { describeBody } from './describe-event.ts';
import { kernelLabel } from './lines/kernel-label.ts';
import type { ReportMeta } from './report-meta.ts';
import { causesOf } from './timeline/causes.ts';
import { inOrder } from './timeline/event-order.ts';
import { spansOf } from './timeline/spans.ts';
import { NO_RETURN_WORDS } from './turn.ts';

export const SHIVIZ_EVENT = '(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})';
export const SHIVIZ_RUN = '^=== (?<trace>.*) ===$';

type Clock = ReadonlyMap<string, number>;

/** The whole file, with one run. */
export function shivizLog(events: readonly Event[], meta: ReportMeta): string {
  const log = inOrder(events);
  const spans = spansOf(log);
  const causes = causesOf(log, spans);
  const clocks = new Map<number, Clock>();
  const hosts = new Map<string, Clock>();
  const lines = [
    SHIVIZ_EVENT,
    SHIVIZ_RUN,
    `=== ${oneLine(`${meta.name} ${kernelLabel(meta)}`)} ===`,
  ];
  for (const event of log) {
    const host = hostName(spans.hostOf(event));
    const clock = new Map(hosts.get(host));
    for (const cause of causes.get(event.n) ?? []) join(clock, clocks.get(cause));
    clock.set(host, (hosts.get(host)?.get(host) ?? 0) + 1);
    clocks.set(event.n, clock);
    hosts.set(host, clock);
    const mark = event.n === meta.turn?.noReturn ? ` (${NO_RETURN_WORDS})` : '';
    lines.push(oneLine(describeBody(event) + mark), `${host} ${clockText(clock)}`);
  }
  return `${lines.join('\n')}\n`;
}

function join(into: Map<string, number>, other: Clock | undefined): void {
  for (const [host, time] of other ?? []) {
    if ((into.get(host) ?? 0) < time) into.set(host, time);
  }
}

function clockText(clock: Clock): string {
  const hosts = [...clock.keys()].sort();
  return `{${hosts.map((host) => `${JSON.stringify(host)}:${clock.get(host)}`).join(', ')}}`;
}

/** A host ends at the first space. */
function hostName(name: string): string {
  return name.replaceAll(/\s/g, '_') || 'kernel';
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
