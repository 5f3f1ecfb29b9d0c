/**
 * A whole session as the document shows it. A test plays the clients' frames against a server and compares what that
 * sends: so it is what really happens. Texts in angle brackets stand for what is another one each time.
 */

export interface ExampleFrame {
  /** Whose connection it is. */
  readonly client: 'cpu0' | 'gpu0';
  readonly from: 'client' | 'server';
  /** The JSON of the frame. */
  readonly frame: object;
  /** The first u64 of each page that a binary frame carries. */
  readonly pages?: readonly string[];
  readonly note?: string;
}

const hello = (client: 'cpu0' | 'gpu0', role: string): ExampleFrame => ({
  client,
  from: 'client',
  frame: {
    jsonrpc: '2.0',
    seq: 1,
    id: 0,
    method: 'hello',
    params: { protocol: 'mmrace.v1', lab: 'demo', role, name: client },
  },
});

const welcome = (client: 'cpu0' | 'gpu0'): ExampleFrame => ({
  client,
  from: 'server',
  frame: {
    jsonrpc: '2.0',
    seq: 1,
    id: 0,
    result: {
      lab: 'demo',
      actor: client,
      epoch: 1,
      resumeToken: '<secret>',
      session: 'fresh',
      received: 1,
      state: 'attached',
      leaseMs: 10000,
      graceMs: 30000,
      heartbeatMs: 15000,
      model: { hash: '<hash>', version: '<version>' },
    },
  },
});

const says = (client: 'cpu0' | 'gpu0', body: object, note?: string): ExampleFrame => ({
  client,
  from: 'client',
  frame: { jsonrpc: '2.0', ...body },
  ...(note === undefined ? {} : { note }),
});

const hears = (client: 'cpu0' | 'gpu0', body: object, pages?: readonly string[]): ExampleFrame => ({
  client,
  from: 'server',
  frame: { jsonrpc: '2.0', ...body },
  ...(pages === undefined ? {} : { pages }),
});

const PAGE = 0x100200;
const REGION = { address: '0x100200000', pages: 1 };
const RANGE = { first: PAGE, end: PAGE + 1 };

export const EXAMPLE_SESSION: readonly ExampleFrame[] = [
  hello('cpu0', 'cpu'),
  welcome('cpu0'),
  says('cpu0', {
    seq: 2,
    id: 1,
    method: 'mmap',
    params: { ...REGION, prot: 'rw', kind: 'anon-private' },
  }),
  hears('cpu0', { seq: 2, id: 1, result: {} }),
  says('cpu0', {
    seq: 3,
    id: 2,
    method: 'store',
    params: { address: REGION.address, value: '0x2a' },
  }),
  hears('cpu0', { seq: 3, id: 2, result: {} }),

  hello('gpu0', 'device'),
  welcome('gpu0'),
  says('gpu0', { seq: 2, id: 1, method: 'mmu_interval_notifier_insert', params: { range: RANGE } }),
  hears('gpu0', {
    seq: 2,
    id: 1,
    result: { subscription: '<subscription>', invalidate_seq: '<seq>' },
  }),
  says(
    'gpu0',
    {
      seq: 3,
      id: 2,
      method: 'hmm_range_fault_unlocked',
      params: {
        subscription: '<subscription>',
        invalidate_seq: '<seq>',
        range: RANGE,
        default_flags: 'fault',
      },
    },
    'read fault',
  ),
  hears('gpu0', { seq: 3, id: 2, result: { seq: '<begun>', pfns: ['<pfn>'] } }),
  says(
    'gpu0',
    {
      seq: 4,
      method: 'mirror_changed',
      params: {
        changes: [{ page: PAGE, entry: { state: 'mapped', pfn: '<frame>', access: 'read' } }],
      },
    },
    'the sequence of the subscription is still the one that the fault began with; <frame> is <pfn> / 64',
  ),
  says('gpu0', {
    seq: 5,
    id: 3,
    method: 'dma_read',
    params: { targets: [{ page: PAGE, pfn: '<frame>' }] },
  }),
  hears('gpu0', { seq: 4, id: 3, result: {} }, ['0x2a']),

  says('cpu0', { seq: 4, id: 3, method: 'munmap', params: REGION }),
  hears('gpu0', {
    seq: 5,
    id: '<question>',
    method: 'invalidate',
    params: {
      subscription: '<subscription>',
      mm: 0,
      range: RANGE,
      event: 'unmap',
      owner: 'none',
      blocking: 'blockable',
      seq: '<newer>',
    },
  }),
  says('gpu0', {
    seq: 6,
    method: 'mirror_changed',
    params: { changes: [{ page: PAGE, entry: { state: 'none' } }] },
  }),
  says('gpu0', {
    seq: 7,
    id: '<question>',
    result: { result: 'done', invalidate_seq: '<newer>' },
  }),
  hears('cpu0', { seq: 4, id: 3, result: {} }),
];
