/** What a kernel would print as the stack of an event: the step itself, then the calls around it, innermost first. */
import type { Event } from '../../abi/event.ts';
import { type Span, threadOfSpan } from '../timeline/spans.ts';

/** `spans` of the whole log. Returns at least two frames: the step, and the task at the bottom. */
export function framesOfEvent(event: Event, spans: readonly Span[]): string[] {
  const thread = threadOfSpan(event);
  const around = spans.filter(
    (span) =>
      span.thread === thread &&
      span.opened.n <= event.n &&
      (span.closed === 'never' || span.closed.n >= event.n),
  );
  const calls = around.map(({ opened }) =>
    opened.kind === 'call' ? opened.function : `${opened.device}:${opened.function}`,
  );
  return [stepName(event), ...calls.reverse(), `task ${event.task} (${event.actor})`];
}

function stepName(event: Event): string {
  switch (event.kind) {
    case 'pte':
      return 'set_pte_at';
    case 'cpu-access':
      return event.mode === 'read' ? 'load' : 'store';
    case 'pin-access':
      return `pin_${event.mode}`;
    case 'device-access':
      return event.memory === 'private'
        ? `${event.device}:private_${event.mode}`
        : `dma_${event.mode}`;
    case 'mirror':
      return `${event.device}:${event.to.state === 'none' ? 'unmap' : 'map'}`;
    case 'frame-free':
      return 'free_frame';
    case 'call':
    case 'return':
    case 'callback':
    case 'callback-return':
      return event.function;
    default:
      return event.kind;
  }
}
