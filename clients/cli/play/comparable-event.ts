/** What has to be the same in the lab and live: changes of memory, in their order. Numbers of the machine are not. */
import type { Event } from '../../../server/abi/event.ts';

/** `mirror reader0 0x100200 mapped`, or 'nothing' for an event that the two worlds tell otherwise. */
export function comparableEvent(event: Event): string | 'nothing' {
  switch (event.kind) {
    case 'pte':
      return `pte ${page(event.page)} ${event.from.state} -> ${event.to.state}`;
    case 'mirror':
      return `mirror of ${event.device} ${page(event.page)} ${event.from.state} -> ${event.to.state}`;
    case 'device-access':
      return `${event.mode} by ${event.device} ${page(event.page)} = ${event.value}`;
    case 'cpu-access':
      return `${event.mode} by ${event.actor} ${page(event.page)} = ${event.value}`;
    case 'invalidate_range_start':
    case 'invalidate_range_end':
      return `${event.kind} ${page(event.first)}`;
    default:
      return 'nothing';
  }
}

function page(number: number): string {
  return `0x${number.toString(16)}`;
}
