/**
 * The seed race as an event list made by hand, for the golden tests of the reports: device A migrates a zero page
 * while device B mirrors it, with the second invalidation (stock) and without it (patched).
 */
import type { Event, EventBody } from '../../abi/event.ts';

export const SEED_PAGE = 0x100200;
const ZERO_FRAME = 0;
const DEVICE_FRAME = 0x8000;

export type SeedKernel = 'stock' | 'patched';

/** `[actor, what happened]`, in order, become numbered events. */
export function numbered(list: readonly (readonly [actor: string, body: EventBody])[]): Event[] {
  return list.map(([actor, body], at) => ({ n: at + 1, actor, task: actor, ...body }));
}

const HERE = { mm: 0, page: SEED_PAGE };
const RANGE = { first: SEED_PAGE, end: SEED_PAGE + 1 };

function invalidate(id: number, mirrored: 'mapped' | 'not mapped'): [string, EventBody][] {
  const dropped: [string, EventBody][] =
    mirrored === 'mapped'
      ? [
          [
            'dev1',
            {
              kind: 'mirror',
              device: 'dev1',
              page: SEED_PAGE,
              from: { state: 'mapped', pfn: ZERO_FRAME, access: 'read' },
              to: { state: 'none' },
            },
          ],
        ]
      : [];
  return [
    [
      'dev0',
      { kind: 'invalidate_range_start', id, mm: 0, ...RANGE, event: 'migrate', owner: 'dev0' },
    ],
    [
      'dev1',
      { kind: 'callback', function: 'invalidate', device: 'dev1', args: { ...RANGE, seq: id } },
    ],
    ...dropped,
    ['dev1', { kind: 'callback-return', function: 'invalidate', device: 'dev1', result: 'done' }],
    ['dev0', { kind: 'invalidate_range_end', id, mm: 0, ...RANGE }],
  ];
}

function fault(pfn: number): [string, EventBody][] {
  return [
    ['dev1', { kind: 'call', function: 'mmu_interval_read_begin', args: {} }],
    ['dev1', { kind: 'return', function: 'mmu_interval_read_begin', result: '3' }],
    ['dev1', { kind: 'call', function: 'hmm_range_fault', args: RANGE }],
    ['dev1', { kind: 'return', function: 'hmm_range_fault', result: 'OK' }],
    [
      'dev1',
      {
        kind: 'mirror',
        device: 'dev1',
        page: SEED_PAGE,
        from: { state: 'none' },
        to: { state: 'mapped', pfn, access: 'read' },
      },
    ],
  ];
}

function read(pfn: number, value: string): [string, EventBody] {
  const access = { page: SEED_PAGE, pfn, mode: 'read', memory: 'system', value } as const;
  return ['dev1', { kind: 'device-access', device: 'dev1', ...access }];
}

/** dev1's fault brings the page back: dev0 is asked, and the entry becomes an ordinary one. */
const BACK_TO_RAM: [string, EventBody][] = [
  ['dev1', { kind: 'call', function: 'hmm_range_fault', args: RANGE }],
  ['dev1', { kind: 'fault', ...HERE, mode: 'read' }],
  ['dev1', { kind: 'callback', function: 'migrate_to_ram', device: 'dev0', args: { ...HERE } }],
  [
    'dev0',
    {
      kind: 'pte',
      ...HERE,
      from: { state: 'device-private', pfn: DEVICE_FRAME, access: 'write' },
      to: { state: 'present', pfn: 0x11, access: 'write' },
    },
  ],
  ['dev1', { kind: 'callback-return', function: 'migrate_to_ram', device: 'dev0', result: 'OK' }],
  ['dev1', { kind: 'return', function: 'hmm_range_fault', result: 'OK' }],
  [
    'dev1',
    {
      kind: 'mirror',
      device: 'dev1',
      page: SEED_PAGE,
      from: { state: 'none' },
      to: { state: 'mapped', pfn: 0x11, access: 'read' },
    },
  ],
];

export function seedRaceEvents(kernel: SeedKernel): Event[] {
  const before: [string, EventBody][] = [
    ['dev0', { kind: 'attach', role: 'device' }],
    ['dev1', { kind: 'attach', role: 'device' }],
    ['dev0', { kind: 'call', function: 'mmap_read_lock', args: {} }],
    ['dev0', { kind: 'call', function: 'migrate_vma_setup', args: { ...RANGE, select: 'system' } }],
    ...invalidate(1, 'not mapped'),
    ['dev0', { kind: 'return', function: 'migrate_vma_setup', result: 'OK' }],
    ...fault(ZERO_FRAME),
    read(ZERO_FRAME, '0x0'),
    ['dev0', { kind: 'call', function: 'migrate_vma_pages', args: { migrate: 1 } }],
    ...(kernel === 'stock' ? invalidate(3, 'mapped') : []),
    [
      'dev0',
      {
        kind: 'pte',
        ...HERE,
        from: { state: 'zero' },
        to: { state: 'device-private', pfn: DEVICE_FRAME, access: 'write' },
      },
    ],
    ['dev0', { kind: 'return', function: 'migrate_vma_pages', result: 'OK' }],
    [
      'dev0',
      {
        kind: 'mirror',
        device: 'dev0',
        page: SEED_PAGE,
        from: { state: 'none' },
        to: { state: 'mapped', pfn: DEVICE_FRAME, access: 'write' },
      },
    ],
    ['dev0', { kind: 'call', function: 'migrate_vma_finalize', args: { migrate: 1 } }],
    ['dev0', { kind: 'return', function: 'migrate_vma_finalize', result: 'OK' }],
    ['dev0', { kind: 'call', function: 'mmap_read_unlock', args: {} }],
    [
      'dev0',
      {
        kind: 'device-access',
        device: 'dev0',
        page: SEED_PAGE,
        pfn: DEVICE_FRAME,
        mode: 'write',
        memory: 'private',
        value: '0x2a',
      },
    ],
  ];
  if (kernel === 'stock') return numbered([...before, ...BACK_TO_RAM, read(0x11, '0x2a')]);
  const told = before.length + 1;
  return numbered([
    ...before,
    read(ZERO_FRAME, '0x0'),
    [
      'dev1',
      {
        kind: 'violation',
        oracle: 'values',
        rule: 'OR3',
        text: 'dev1 read 0x0 through frame 0x0, but 0x100200000 was last written 0x2a by dev0.',
        device: 'dev1',
        page: SEED_PAGE,
        cpuHistory: [],
        deviceHistory: [told],
      },
    ],
  ]);
}
