/** Migrations from the call that set them up to their end. */
import type { Event } from '../../abi/event.ts';
import type { Span, Spans } from './spans.ts';

type Ended = Extract<Event, { kind: 'migration-end' }>;

export interface MigrationSeen {
  readonly setup: Span;
  readonly device: string;
  /** The failing return of the setup, the migration's end, or neither yet. */
  ended: Event | 'never';
}

const SETUPS: ReadonlySet<string> = new Set(['migrate_vma_setup', 'migrate_device_range']);

/** `events` in order, `spans` of the same events. In the order of their setups. */
export function migrationsOf(events: readonly Event[], spans: Spans): MigrationSeen[] {
  const migrations: MigrationSeen[] = [];
  for (const setup of spans.all) {
    if (setup.opened.kind !== 'call' || !SETUPS.has(setup.opened.function)) continue;
    const { closed } = setup;
    const failed = closed !== 'never' && closed.result !== 'OK';
    migrations.push({ setup, device: setup.host, ended: failed ? closed : 'never' });
  }
  for (const event of events) {
    if (event.kind !== 'migration-end') continue;
    const [first, end] = finalizedRange(event, spans.all);
    const open = migrations.filter((each) => isOpen(each, event));
    const same = open.find(({ setup: { opened } }) => {
      return opened.args.first === first && opened.args.end === end;
    });
    const migration = same ?? open[0];
    if (migration !== undefined) migration.ended = event;
  }
  return migrations;
}

function isOpen({ setup, device, ended }: MigrationSeen, event: Ended): boolean {
  return ended === 'never' && device === event.device && setup.opened.n < event.n;
}

/** The end of a migration does not name its range; the call that it happens in does. */
function finalizedRange(event: Ended, spans: readonly Span[]): readonly unknown[] {
  const call = spans.findLast(
    ({ opened, closed }) =>
      opened.kind === 'call' &&
      opened.function.endsWith('_finalize') &&
      opened.n < event.n &&
      (closed === 'never' || closed.n > event.n) &&
      opened.actor === event.actor &&
      opened.task === event.task,
  );
  return [call?.opened.args.first, call?.opened.args.end];
}
