/** What Prometheus sees. Everything is read from the state when it is asked for; nothing is counted twice. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { LIMITS } from '../documents/limit-table.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Labs } from '../live/labs.ts';

/** A registry of its own: two apps in one process do not share their numbers. */
export function newMetrics(gateway: Gateway, labs: Labs, logDropped: () => number): Registry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  gauge('mmrace_connections', 'Open WebSocket connections.', () => gateway.connections);
  gauge(
    'mmrace_sessions',
    'Sessions of devices and CPUs, attached or away.',
    () => gateway.sessions,
  );
  gauge('mmrace_waiting_bytes', 'Bytes that clients have yet to take.', () => gateway.bytesWaiting);
  gauge('mmrace_kept_bytes', 'Bytes kept for clients that resume.', () => gateway.bytesKept);
  gauge('mmrace_labs', 'Open labs.', () => labs.all().length);
  gauge('mmrace_observers', 'Observers of all labs.', () =>
    labs.all().reduce((sum, lab) => sum + lab.feed.observers, 0),
  );
  counter('mmrace_frames_total', 'WebSocket frames.', ['direction'], () => [
    [{ direction: 'in' }, gateway.counts.framesIn],
    [{ direction: 'out' }, gateway.counts.framesOut],
  ]);
  counter('mmrace_refusals_total', 'Frames that were refused, by error code.', ['code'], () =>
    [...gateway.counts.refusals].map(([code, count]) => [{ code }, count]),
  );
  counter('mmrace_log_dropped_total', 'Lines of the log that its reader did not take.', [], () => [
    [{}, logDropped()],
  ]);
  counter(
    'mmrace_limits_total',
    'Refusals because a limit is reached, by its name.',
    ['limit'],
    () => [...gateway.counts.limits].map(([limit, count]) => [{ limit }, count]),
  );
  new Gauge({
    name: 'mmrace_limit',
    help: 'What each limit is, by its name.',
    labelNames: ['limit'],
    registers,
    collect() {
      for (const [limit, { value }] of Object.entries(LIMITS)) this.set({ limit }, value);
    },
  });
  counter(
    'mmrace_closings_total',
    'Connections that the server closed, by reason.',
    ['reason'],
    () => [...gateway.counts.closings].map(([reason, count]) => [{ reason }, count]),
  );
  return registry;

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }

  function counter(
    name: string,
    help: string,
    labelNames: string[],
    read: () => readonly (readonly [Record<string, string>, number])[],
  ): void {
    new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.inc(labels, value);
      },
    });
  }
}
