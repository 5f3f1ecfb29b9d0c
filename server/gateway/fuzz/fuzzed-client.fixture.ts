/** A client that says, in its role, anything that the protocol allows, in any order, and some of what it forbids. */
import { once } from 'node:events';
import type { Type } from 'typebox';
import { WebSocket } from 'ws';
import { decodeBinaryFrame, encodeBinaryFrame } from '../../protocol/binary-frame.ts';
import { SUBPROTOCOL } from '../../protocol/limits.ts';
import { NOTIFICATION_CHECKS, QUESTION_CHECKS, REQUEST_CHECKS } from '../../protocol/roles.ts';
import { ZERO_CONTENTS } from '../../vocabulary/page-contents.ts';
import { brokenFrame } from './broken-frame.fixture.ts';
import type { Chance } from './chance.fixture.ts';
import { Known } from './known.fixture.ts';
import { fittingValue } from './schema-value.fixture.ts';

export type FuzzedRole = 'device' | 'cpu';

/** What often follows what: without it hardly any migration would get beyond its first call. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  hello: ['memremap_pages', 'mmap'],
  memremap_pages: ['mmu_interval_notifier_insert'],
  mmu_interval_notifier_insert: ['hmm_range_fault_unlocked', 'mmu_interval_read_begin'],
  mmu_interval_read_begin: ['mmap_read_lock'],
  mmap_read_lock: [
    'migrate_vma_setup',
    'hmm_range_fault',
    'make_device_exclusive_range',
    'find_vma',
  ],
  hmm_range_fault: ['mirror_changed', 'mmap_read_unlock'],
  hmm_range_fault_unlocked: ['mirror_changed', 'dma_read'],
  mirror_changed: ['dma_write', 'mmap_read_unlock'],
  migrate_vma_setup: ['zone_device_page_init', 'alloc_pages'],
  zone_device_page_init: ['migrate_vma_pages'],
  migrate_vma_pages: ['migrate_vma_finalize', 'mirror_changed'],
  migrate_vma_finalize: ['mmap_read_unlock', 'private_memory_accessed', 'migrate_device_range'],
  migrate_device_range: ['alloc_pages'],
  alloc_pages: ['migrate_device_pages', 'migrate_vma_pages'],
  migrate_device_pages: ['migrate_device_finalize'],
  make_device_exclusive_range: ['unlock_and_put_pages', 'mirror_changed'],
  mmap: ['store'],
  pin: ['unpin', 'load'],
  mremap: ['mmap'],
  munmap: ['mmap'],
};

/** What begins something, of which there is the more to go on with. */
const FIRST: { readonly [Of in FuzzedRole]: readonly string[] } = {
  device: ['mmap_read_lock', 'hmm_range_fault_unlocked', 'migrate_device_range'],
  cpu: ['mmap', 'store', 'load', 'pin'],
};

interface Question {
  readonly id: number | string;
  readonly method: string;
}

interface Arrived {
  readonly seq: number;
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: { readonly first?: number };
}

export class FuzzedClient {
  readonly name: string;
  readonly role: FuzzedRole;
  /** Requests that succeeded, by method. */
  readonly served: Map<string, number>;
  readonly #socket: WebSocket;
  readonly #chance: Chance;
  #known = new Known();
  readonly #questions: Question[] = [];
  readonly #asked = new Map<unknown, string>();
  #sent = 0;
  #received = 0;
  #ids = 0;
  #last = 'hello';

  constructor(
    url: string,
    role: FuzzedRole,
    name: string,
    { chance, served }: { readonly chance: Chance; readonly served: Map<string, number> },
  ) {
    this.served = served;
    this.name = name;
    this.role = role;
    this.#chance = chance;
    this.#socket = new WebSocket(url, [SUBPROTOCOL], { perMessageDeflate: false });
    this.#socket.on('error', () => undefined);
    this.#socket.on('message', (data, isBinary) => this.#arrived(data as Buffer, isBinary));
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  async join(lab: string): Promise<void> {
    await once(this.#socket, 'open');
    const { role, name } = this;
    this.#send({
      id: 0,
      method: 'hello',
      params: { protocol: SUBPROTOCOL, lab, role, name, create: true },
    });
    await this.settled();
  }

  leave(): void {
    if (this.#chance.in100(50)) this.#socket.close(1000);
    else this.#socket.terminate();
  }

  /** All that was sent has been taken, and what came of it at once has arrived. */
  async settled(): Promise<void> {
    if (!this.isOpen) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once('pong', resolve);
    this.#socket.once('close', resolve);
    this.#socket.ping();
    await promise;
    this.#socket.off('close', resolve);
  }

  /** Says one thing. */
  speak(): void {
    const chance = this.#chance;
    if (this.#questions.length > 0 && chance.in100(60)) this.#answer();
    else if (chance.in100(4)) this.#send({ method: 'ack', params: { seq: this.#received } });
    else this.#ask(this.#nextMethod());
  }

  #nextMethod(): string {
    const next = NEXT[this.#last];
    if (next !== undefined && this.#chance.in100(85)) return this.#chance.of(next);
    if (this.#chance.in100(50)) return this.#chance.of(FIRST[this.role]);
    const methods = [
      ...REQUEST_CHECKS[this.role].keys(),
      ...NOTIFICATION_CHECKS[this.role].keys(),
    ].filter((method) => method !== 'ack');
    return this.#chance.of(methods);
  }

  #ask(method: string): void {
    const chance = this.#chance;
    // What takes memory away comes seldom, or there would be none that clients could meet in.
    if (method === 'exit' && !chance.in100(1)) return;
    if ((method === 'munmap' || method === 'mremap') && !chance.in100(20)) return;
    this.#last = method;
    const request = REQUEST_CHECKS[this.role].get(method);
    const spec = (request ?? NOTIFICATION_CHECKS[this.role].get(method))?.spec;
    if (spec === undefined) return;
    const params = this.#value(spec.params);
    this.#ids += 1;
    if (request !== undefined) this.#asked.set(this.#ids, method);
    const body = request === undefined ? { method, params } : { id: this.#ids, method, params };
    this.#send(body, spec.sends === 'pages' ? pagesIn(params) : 0);
  }

  #answer(): void {
    const chance = this.#chance;
    const at = chance.below(this.#questions.length);
    const question = this.#questions[at];
    if (question === undefined) return;
    // At times it is answered a second time.
    if (chance.in100(95)) this.#questions.splice(at, 1);
    const { id, method } = question;
    const schema = QUESTION_CHECKS.get(method)?.spec.result;
    if (schema === undefined || chance.in100(10)) {
      const data = { errno: chance.of(['EINVAL', 'EAGAIN', 'NONE']) };
      this.#send({ id, error: { code: -32000, message: 'no', data } });
    } else this.#send({ id, result: this.#value(schema) });
  }

  #value(schema: Type.TSchema): unknown {
    return fittingValue(schema, { chance: this.#chance, known: this.#known });
  }

  #send(body: Record<string, unknown>, pages = 0): void {
    const chance = this.#chance;
    const frame = { jsonrpc: '2.0', seq: this.#sent + 1, ...body };
    if (body.method !== 'hello' && chance.in100(6)) {
      const broken = brokenFrame(frame, chance);
      if (seqOf(broken) === frame.seq) this.#sent += 1;
      this.#socket.send(broken);
      return;
    }
    this.#sent += 1;
    const text = JSON.stringify(frame);
    const count = chance.in100(99) ? pages : chance.below(4);
    if (count === 0) this.#socket.send(text);
    else {
      const contents = Array.from({ length: count }, () => ZERO_CONTENTS);
      this.#socket.send(encodeBinaryFrame(text, contents));
    }
  }

  #arrived(data: Buffer, isBinary: boolean): void {
    const decoded = isBinary ? decodeBinaryFrame(data) : { json: data.toString() };
    if ('bound' in decoded) throw new Error(decoded.bound);
    const frame: Arrived = JSON.parse(decoded.json);
    this.#received = frame.seq;
    // All that it knew is void; once fenced, only another client can go on.
    if (frame.method === 'reset') this.#known = new Known();
    if (frame.method === 'fenced') this.#socket.close(1000);
    if (frame.method !== undefined && frame.id !== undefined && frame.id !== null) {
      this.#questions.push({ id: frame.id, method: frame.method });
    } else if (frame.result !== undefined) {
      const method = this.#asked.get(frame.id) ?? 'hello';
      this.served.set(method, (this.served.get(method) ?? 0) + 1);
    }
    this.#known.learn(frame.params);
    this.#known.learn(frame.result);
    const { first } = frame.result ?? {};
    if (first !== undefined) this.#known.learnPrivate(first, 8);
  }
}

/** The `seq` that the server finds in a frame; 'none' if it finds none and closes. */
function seqOf(frame: Buffer | string): unknown {
  try {
    const decoded = typeof frame === 'string' ? { json: frame } : decodeBinaryFrame(frame);
    return 'bound' in decoded ? 'none' : JSON.parse(decoded.json)?.seq;
  } catch {
    return 'none';
  }
}

/** How many pages go with the params: one for each of their targets or accesses. */
function pagesIn(params: unknown): number {
  for (const part of Object.values(params as Record<string, unknown>)) {
    if (Array.isArray(part)) return part.length;
  }
  return 0;
}
