/** The verbs of scenarios and of conductors, done by a driver after a real one. */
import type { Task } from '../../../server/task/task.ts';
import { nextPage, type PageRange } from '../../../server/vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../../server/vocabulary/errno.ts';
import { type PageContents, pageOfU64, readU64 } from '../../../server/vocabulary/page-contents.ts';
import type { DmirrorResult, DmirrorVerb } from '../dmirror/dmirror-verb.ts';
import { type EngineSupport, engineRead, engineWrite, type Gpu, readPage } from './gpu.ts';

/** What a driver can do. A verb that it lacks is EINVAL, as an ioctl that a driver does not have. */
export interface GpuActions extends EngineSupport {
  /** Moves what it can to the device's memory. */
  readonly migrate?: (range: PageRange) => Task<Result<void>>;
  /** Moves what is there back. */
  readonly evict?: (range: PageRange) => Task<Result<void>>;
  readonly exclusive?: (range: PageRange) => Task<Result<void>>;
  /** The device lets go of what it knows of the range: an object or a region is destroyed. */
  readonly release?: () => Task<Result<void>>;
}

export function* performGpuVerb(
  gpu: Gpu,
  actions: GpuActions,
  asked: DmirrorVerb,
): Task<DmirrorResult> {
  switch (asked.verb) {
    case 'read': {
      const read = yield* engineRead(gpu, actions, asked.range);
      if (!read.ok) return { errno: read.errno };
      const { values, faults } = read.value;
      return { errno: 'OK', values: words(values), cpages: values.length, faults };
    }
    case 'write': {
      const contents = asked.values.map((value) => pageOfU64(BigInt(value)));
      const written = yield* engineWrite(gpu, actions, asked.range, contents);
      if (!written.ok) return { errno: written.errno };
      return { errno: 'OK', cpages: contents.length, faults: written.value };
    }
    case 'fault-read':
    case 'fault-write':
      return errnoOf(
        yield* faultAll(actions, asked.range, asked.verb === 'fault-read' ? 'read' : 'write'),
      );
    case 'read-mapped':
      return readResult(yield* readMapped(gpu, actions, asked.range));
    case 'migrate':
      return errnoOf(yield* (actions.migrate ?? lacking)(asked.range));
    case 'migrate-to-dev': {
      const migrated = yield* (actions.migrate ?? lacking)(asked.range);
      if (!migrated.ok) return { errno: migrated.errno };
      return readResult(yield* engineRead(gpu, actions, asked.range));
    }
    case 'migrate-to-sys':
      return errnoOf(yield* (actions.evict ?? lacking)(asked.range));
    case 'exclusive': {
      const made = yield* (actions.exclusive ?? lacking)(asked.range);
      return made.ok
        ? readResult(yield* readMapped(gpu, actions, asked.range))
        : { errno: made.errno };
    }
    case 'release':
      return errnoOf(yield* (actions.release ?? lacking)());
    default:
      return { errno: 'EINVAL' };
  }
}

function* lacking(): Task<Result<void>> {
  return fail('EINVAL');
}

function* faultAll(
  { fault }: GpuActions,
  range: PageRange,
  access: 'read' | 'write',
): Task<Result<void>> {
  for (let page = range.first; page < range.end; page = nextPage(page)) {
    const served = yield* fault(page, access);
    if (!served.ok) return served;
  }
  return OK;
}

function* readMapped(
  gpu: Gpu,
  { running }: GpuActions,
  range: PageRange,
): Task<Result<{ readonly values: readonly PageContents[] }>> {
  const values: PageContents[] = [];
  for (let page = range.first; page < range.end; page = nextPage(page)) {
    const at = page;
    const read = yield* running(() => readPage(gpu, at));
    if (!read.ok) return read;
    if (read.value === 'fault') return fail('ENOENT');
    values.push(read.value);
  }
  return ok({ values });
}

function readResult(read: Result<{ readonly values: readonly PageContents[] }>): DmirrorResult {
  if (!read.ok) return { errno: read.errno };
  const { values } = read.value;
  return { errno: 'OK', values: words(values), cpages: values.length };
}

function words(pages: readonly PageContents[]): string[] {
  return pages.map((contents) => `0x${readU64(contents, 0).toString(16)}`);
}

function errnoOf(result: Result<unknown>): DmirrorResult {
  return { errno: result.ok ? 'OK' : result.errno };
}
