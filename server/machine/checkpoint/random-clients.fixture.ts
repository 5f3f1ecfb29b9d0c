/** For tests: clients that do at random what clients may do, right and wrong, and answer what they are asked. */
import { MIRROR_NONE } from '../../abi/device-api.ts';
import type { QuestionParams } from '../../protocol/server-questions.ts';
import { pageOfU64 } from '../../vocabulary/page-contents.ts';
import type { MachineConfig } from '../machine-config.ts';
import type { ActorName, Inbound, Outbound } from '../remote/inbound.ts';
import { LiveMachine } from '../remote/live-machine.ts';

const DEVICES = ['gpu0', 'gpu1', 'gpu2'];
const CPUS = ['cpu0', 'cpu1', 'child'];
const FIRST = 0x100200;
const PAGES = 12;
const VALID = 1;
const MIGRATE = 2;
const WRITE = 8;
const PFN_SCALE = 64;

export interface Taken {
  readonly inbound: Inbound;
  /** What came of it: outbound and events, as text. */
  readonly said: readonly string[];
}

/** A machine of which all that it says is kept. */
export class HeardMachine {
  readonly machine: LiveMachine;
  said: string[] = [];
  outbound: Outbound[] = [];

  constructor(config: MachineConfig) {
    this.machine = new LiveMachine(config, {
      outbound: (outbound) => {
        this.said.push(JSON.stringify(outbound));
        this.outbound.push(outbound);
      },
      event: (event) => this.said.push(JSON.stringify(event)),
    });
  }

  take(inbound: Inbound): Taken {
    this.said = [];
    this.outbound = [];
    this.machine.accept(inbound);
    return { inbound, said: this.said };
  }
}

interface DeviceBooks {
  readonly subs: number[];
  readonly migrations: { readonly id: number; readonly kind: string; readonly src: number[] }[];
  readonly chunks: { readonly first: number; readonly count: number }[];
  readonly free: number[];
  readonly frames: number[];
  readonly known: number[];
  readonly locked: number[];
}

export class RandomClients {
  readonly heard: HeardMachine;
  readonly #here = new Map<ActorName, 'device' | 'cpu'>();
  readonly #books = new Map<ActorName, DeviceBooks>();
  readonly #open: Extract<Outbound, { kind: 'question' }>[] = [];
  readonly #asked = new Map<
    number | string,
    { readonly method: string; readonly params: object }
  >();
  readonly #next: Inbound[] = [];
  #id = 0;
  #state: number;

  constructor(config: MachineConfig, seed: number) {
    this.heard = new HeardMachine(config);
    this.#state = (seed * 2_654_435_761 + 1) >>> 0;
    this.#here.set('cpu0', 'cpu');
    this.#next.push({ kind: 'attach', actor: 'cpu0', role: 'cpu' });
    const region = { address: `0x${FIRST.toString(16)}000`, pages: PAGES };
    this.#next.push(this.#asks('cpu0', 'mmap', { ...region, prot: 'rw', kind: 'anon-private' }));
    const file = {
      address: `0x${(FIRST + PAGES).toString(16)}000`,
      pages: PAGES,
      file: 0,
      offset: 0,
    };
    this.#next.push(this.#asks('cpu0', 'mmap', { ...file, prot: 'rw', kind: 'file-shared' }));
  }

  step(): Taken {
    const taken = this.heard.take(this.#inbound());
    for (const outbound of this.heard.outbound) this.#heard(outbound);
    return taken;
  }

  #inbound(): Inbound {
    const planned = this.#next.shift();
    if (planned !== undefined) return planned;
    if (this.#open.length > 0 && this.#below(4) > 0) return this.#answer();
    const dice = this.#below(100);
    if (this.#here.size === 0 || dice < 5) return this.#comes();
    const [name, role] = this.#oneOf([...this.#here]);
    if (dice < 7) return this.#goes(name);
    if (dice < 9) {
      this.#forget(name);
      this.#next.push({ kind: 'attach', actor: name, role });
      return { kind: 'fence', actor: name };
    }
    return role === 'cpu' ? this.#cpuAsks(name) : this.#deviceActs(name);
  }

  #comes(): Inbound {
    const role = this.#below(2) === 0 ? 'device' : 'cpu';
    const actor = this.#oneOf(role === 'device' ? DEVICES : CPUS);
    if (this.#here.has(actor)) return this.#goes(actor);
    this.#here.set(actor, role);
    if (role === 'device') {
      this.#forget(actor);
      const range = { first: FIRST, end: FIRST + 2 * PAGES };
      this.#next.push(this.#asks(actor, 'mmu_interval_notifier_insert', { range }));
      this.#next.push(this.#asks(actor, 'memremap_pages', { count: 4 }));
    }
    return { kind: 'attach', actor, role };
  }

  #goes(actor: ActorName): Inbound {
    this.#here.delete(actor);
    this.#forget(actor);
    return { kind: 'detach', actor };
  }

  #forget(actor: ActorName): void {
    const none = {
      subs: [],
      migrations: [],
      chunks: [],
      free: [],
      frames: [],
      known: [],
      locked: [],
    };
    this.#books.set(actor, none);
    const asked = this.#open.filter((question) => question.actor !== actor);
    this.#open.splice(0, this.#open.length, ...asked);
  }

  #answer(): Inbound {
    const [question] = this.#open.splice(this.#below(this.#open.length), 1);
    if (question === undefined) throw new Error('nothing was asked');
    const { actor, id, method, params } = question;
    const answer = (result: unknown): Inbound => ({
      kind: 'answer',
      actor,
      id,
      outcome: { ok: true, result },
    });
    if (method === 'migrate_to_ram') return answer({ result: this.#oneOf(['OK', 'EIO']) });
    if (method !== 'invalidate' && method !== 'invalidate_range_start') return answer({});
    const { seq, range } = params as QuestionParams['invalidate'];
    const table = this.heard.machine.world.oracles.mirrors.byDevice.get(actor) ?? new Map();
    const pages = [...table.keys()].filter((page) => range.first <= page && page < range.end);
    const done = answer({ result: 'done', invalidate_seq: seq });
    // Now and then a device keeps what it should have dropped.
    if (pages.length === 0 || this.#below(20) === 0) return done;
    this.#next.push(done);
    const changes = pages.map((page) => ({ page, entry: MIRROR_NONE }));
    return this.#tells(actor, 'mirror_changed', { changes });
  }

  #cpuAsks(actor: ActorName): Inbound {
    const page = FIRST + this.#below(2 * PAGES);
    const pages = 1 + this.#below(4);
    const address = `0x${page.toString(16)}000`;
    const id = this.#below(3);
    const kinds = ['anon-private', 'anon-private', 'anon-shared', 'file-private', 'file-shared'];
    const kind = this.#oneOf(kinds);
    const file = kind.startsWith('file') ? { file: this.#below(2), offset: 0 } : {};
    const prot = this.#oneOf(['rw', 'rw', 'r', 'none']);
    const asks = (method: string, params: object) => this.#asks(actor, method, params);
    switch (this.#below(16)) {
      case 0:
      case 1:
        return asks('mmap', { address, pages, prot, kind, ...file });
      case 2:
        if (this.#below(3) > 0) return asks('load', { address });
        return asks('munmap', { address, pages });
      case 3:
        return asks('mprotect', { address, pages, prot });
      case 4: {
        const advice = this.#oneOf(['DONTNEED', 'FREE', 'PAGEOUT']);
        return asks('madvise', { address, pages, advice });
      }
      case 5:
        return asks('mremap', { address, pages, to: `0x${(FIRST + 64).toString(16)}000` });
      case 6:
        return asks('fork', { child: this.#oneOf(['child', 'other']) });
      case 7:
        return asks('pin', { id, address, pages, mode: this.#oneOf(['get', 'longterm']) });
      case 8:
        return asks('unpin', { id });
      case 9:
        return this.#below(4) === 0 ? asks('exit', {}) : asks('load', { address });
      case 10:
      case 11:
        return asks('load', { address });
      default:
        return asks('store', { address, value: `0x${this.#below(9)}` });
    }
  }

  #deviceActs(actor: ActorName): Inbound {
    const books = this.#books.get(actor) as DeviceBooks;
    const first = FIRST + this.#below(2 * PAGES - 4);
    const range = { first, end: first + 1 + this.#below(4) };
    const asks = (method: string, params: object, pages = 0) =>
      this.#asks(actor, method, params, pages);
    const subscription = books.subs.at(-1) ?? 1;
    const frame = this.#oneOf([...books.known, 1, 2]);
    switch (this.#below(23)) {
      case 0: {
        const wide = { first: FIRST, end: FIRST + 2 * PAGES };
        return asks('mmu_interval_notifier_insert', { range: this.#oneOf([wide, range]) });
      }
      case 1:
        if (books.subs.length < 2) return asks('mmap_read_unlock', {});
        books.subs.pop();
        return asks('mmu_interval_notifier_remove', { subscription });
      case 2:
        return asks('mmu_interval_read_begin', { subscription, invalidate_seq: 1 });
      case 3:
      case 4:
      case 5: {
        const default_flags = this.#oneOf(['snapshot', 'fault', 'fault-write']);
        const walk = { subscription, invalidate_seq: 1, range, default_flags };
        return asks('hmm_range_fault_unlocked', walk);
      }
      case 6:
        return asks(this.#oneOf(['mmap_read_lock', 'mmap_read_unlock']), {});
      case 7:
      case 17: {
        const select = this.#oneOf(['system', 'device-private']);
        this.#next.push(asks('migrate_vma_setup', { mm: 0, range, select, fault_page: 'none' }));
        return asks('mmap_read_lock', {});
      }
      case 8:
      case 9: {
        const open = books.migrations[0];
        if (open === undefined) return asks('mmap_read_unlock', {});
        const places = open.src.filter((entry) => (entry & MIGRATE) !== 0).length;
        const pfns = books.free.splice(0, places);
        const dst = open.src.map((entry) => {
          const pfn = (entry & MIGRATE) === 0 ? undefined : pfns.pop();
          return pfn === undefined ? 0 : pfn * PFN_SCALE + VALID + WRITE;
        });
        books.migrations.splice(0, 1);
        const used = dst
          .filter((entry) => entry !== 0)
          .map((entry) => Math.floor(entry / PFN_SCALE));
        this.#next.push(asks(`${open.kind}_pages`, { migrate: open.id, dst }));
        this.#next.push(asks(`${open.kind}_finalize`, { migrate: open.id }));
        this.#next.push(asks('mmap_read_unlock', {}));
        if (used.length === 0) return this.#next.shift() as Inbound;
        return this.#tells(actor, 'zone_device_page_init', { pfns: used });
      }
      case 10:
        if (this.#below(3) > 0) this.#next.push(asks('mmap_read_unlock', {}));
        return asks('make_device_exclusive_range', { range });
      case 11: {
        const frames = books.locked.splice(0, 3);
        if (frames.length > 0) return asks('unlock_and_put_pages', { frames });
        this.#next.push(asks('make_device_exclusive_range', { range }));
        return asks('mmap_read_lock', {});
      }
      case 12:
        return asks('memremap_pages', { count: 4 });
      case 13: {
        const pfn = books.frames.pop();
        if (pfn !== undefined) return asks('put_device_page', { pfn });
        return asks('alloc_pages', { count: 2 });
      }
      case 14:
        return asks('dma_write', { targets: [{ page: first, pfn: frame }] }, 1);
      case 15:
        return asks('dma_read', { targets: [{ page: first, pfn: frame }] });
      case 18:
        return asks('mmu_notifier_register', {
          callbacks: this.#oneOf(['start', 'start-and-end']),
        });
      case 19:
        return asks('mmu_notifier_unregister', {});
      case 20:
        return asks('get_user_pages', { range, access: this.#oneOf(['read', 'write']) });
      case 16: {
        const chunk = books.chunks[0];
        if (chunk === undefined) return asks('memremap_pages', { count: 4 });
        return asks('migrate_device_range', chunk);
      }
      default: {
        const access = this.#oneOf(['read', 'write']);
        const entry = { state: 'mapped', pfn: frame, access };
        return this.#tells(actor, 'mirror_changed', { changes: [{ page: first, entry }] });
      }
    }
  }

  #asks(actor: ActorName, method: string, params: object, pages = 0): Inbound {
    this.#id += 1;
    this.#asked.set(this.#id, { method, params });
    const contents = Array.from({ length: pages }, () => pageOfU64(BigInt(this.#below(9))));
    return { kind: 'request', actor, id: this.#id, method, params, contents };
  }

  #tells(actor: ActorName, method: string, params: object): Inbound {
    return { kind: 'notify', actor, method, params, contents: [] };
  }

  #heard(outbound: Outbound): void {
    if (outbound.kind === 'question') this.#open.push(outbound);
    if (outbound.kind !== 'response' || !outbound.outcome.ok) return;
    const books = this.#books.get(outbound.actor);
    const asked = this.#asked.get(outbound.id);
    if (books === undefined || asked === undefined) return;
    const result = outbound.outcome.result as Record<string, never>;
    switch (asked.method) {
      case 'mmu_interval_notifier_insert':
        books.subs.push(result.subscription as unknown as number);
        return;
      case 'hmm_range_fault_unlocked':
        for (const pfn of result.pfns as unknown as readonly number[]) {
          if (pfn > 0) books.known.push(Math.floor(pfn / PFN_SCALE) % 2 ** 24);
        }
        books.known.splice(0, books.known.length - 6);
        return;
      case 'migrate_vma_setup':
      case 'migrate_device_range': {
        const kind = asked.method === 'migrate_vma_setup' ? 'migrate_vma' : 'migrate_device';
        const { migrate, src } = result as unknown as { migrate: number; src: number[] };
        books.migrations.push({ id: migrate, kind, src });
        return;
      }
      case 'make_device_exclusive_range':
        for (const pfn of result.frames as unknown as readonly (number | 'none')[]) {
          if (pfn !== 'none') books.locked.push(pfn);
        }
        return;
      case 'memremap_pages': {
        const first = result.first as unknown as number;
        books.chunks.push({ first, count: 4 });
        for (let at = 0; at < 4; at += 1) books.free.push(first + at);
        return;
      }
      case 'alloc_pages':
        books.frames.push(...(result.frames as unknown as readonly number[]));
        return;
      default:
    }
  }

  #oneOf<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)] as Item;
  }

  /** A whole number from 0 below `end`: mulberry32. */
  #below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  }
}
