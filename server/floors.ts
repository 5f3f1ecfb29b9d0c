/**
 * Who may import whom, as data. A floor uses only floors that stand before it in the list, so there can be no
 * circles. tidy.test.ts enforces this, and that pure floors have no way out to a clock, to chance or to the world.
 */
export interface Floor {
  readonly folder: string;
  /** 'pure': no clock, no chance, no async, no node module, no state of a module's own. */
  readonly nature: 'pure' | 'outside';
  /** The floors that its files may import from, besides their own. */
  readonly uses: readonly string[] | 'all';
  /** The packages that its files may import; 'all' of those that package.json names. */
  readonly packages: readonly string[] | 'all';
  /** What its tests and benchmarks may use besides: a test needs somebody who runs its tasks. */
  readonly testsAlsoUse: readonly string[];
}

const TASKS = ['server/vocabulary', 'server/task'] as const;
const KERNEL_VIEW = [...TASKS, 'server/protocol'] as const;

export const FLOORS: readonly Floor[] = [
  pure('server/vocabulary', []),
  pure('server/task', ['server/vocabulary'], { testsAlsoUse: ['server/scheduler'] }),
  pure('server/protocol', TASKS, { packages: ['typebox'] }),
  // What is said of the protocol to whoever writes a client.
  pure('server/documents', KERNEL_VIEW, { packages: ['typebox'] }),

  // Scheduler, kernel and drivers never import each other: they meet in Task and in DeviceApi alone. That is why
  // the same text runs live and in the lab.
  pure('server/scheduler', TASKS),
  pure('server/kernel', KERNEL_VIEW, { testsAlsoUse: ['server/scheduler'] }),
  pure('clients/drivers', KERNEL_VIEW, {
    testsAlsoUse: ['server/scheduler', 'server/kernel', 'server/machine'],
  }),

  pure('server/patches', [...KERNEL_VIEW, 'server/kernel'], {
    testsAlsoUse: ['server/scheduler', 'server/machine'],
  }),
  pure('server/explorer', [...TASKS, 'server/scheduler']),
  pure('server/machine', [
    ...KERNEL_VIEW,
    'server/scheduler',
    'server/kernel',
    'clients/drivers',
    'server/patches',
  ]),

  outside('server/journal', ['server/vocabulary', 'server/protocol', 'server/machine']),
  outside('clients/sdk', [...KERNEL_VIEW, 'server/scheduler', 'clients/drivers'], {
    testsAlsoUse: ['server/machine', 'server/live', 'server/gateway', 'server/http'],
  }),
  outside('server/lab', [
    ...KERNEL_VIEW,
    'server/scheduler',
    'server/kernel',
    'clients/drivers',
    'server/patches',
    'server/explorer',
    'server/machine',
    'server/journal',
  ]),
  outside('server/live', [
    ...KERNEL_VIEW,
    'server/scheduler',
    'server/kernel',
    'server/patches',
    'server/machine',
    'server/journal',
  ]),
  outside('server/gateway', [...KERNEL_VIEW, 'server/machine', 'server/live'], {
    testsAlsoUse: ['clients/sdk', 'clients/agents'],
  }),
  outside(
    'server/http',
    [
      ...KERNEL_VIEW,
      'clients/drivers',
      'server/patches',
      'server/documents',
      'server/machine',
      'server/lab',
      'server/live',
      'server/gateway',
    ],
    { testsAlsoUse: ['server/journal', 'clients/sdk', 'clients/agents'] },
  ),
  outside('clients/agents', [...KERNEL_VIEW, 'clients/drivers', 'clients/sdk'], {
    testsAlsoUse: ['server/machine', 'server/live', 'server/gateway', 'server/http'],
  }),
  // The entry of the package: what `import ... from 'mmrace'` gives.
  outside('clients/library', [...KERNEL_VIEW, 'clients/drivers', 'clients/sdk', 'clients/agents'], {
    testsAlsoUse: ['server', 'clients/web'],
  }),
  // The drivers run in the page, and it tells a race in the words of the reports.
  outside(
    'clients/web',
    [...KERNEL_VIEW, 'clients/drivers', 'clients/sdk', 'server/lab', 'clients/agents'],
    { testsAlsoUse: ['server', 'server/machine', 'server/live', 'server/gateway', 'server/http'] },
  ),
  // Its end-to-end tests and their tools start whole servers.
  outside('clients/web/e2e', 'all'),

  // main.ts wires the floors; the tidy test looks at them all; the command line may use everything.
  outside('server', 'all'),
  outside('server/tidy', ['server', 'server/journal']),
  outside('clients/cli', 'all'),
];

interface Extras {
  readonly packages?: readonly string[];
  readonly testsAlsoUse?: readonly string[];
}

function pure(folder: string, uses: readonly string[], extras: Extras = {}): Floor {
  return { folder, nature: 'pure', uses, packages: [], testsAlsoUse: [], ...extras };
}

function outside(folder: string, uses: readonly string[] | 'all', extras: Extras = {}): Floor {
  return { folder, nature: 'outside', uses, packages: 'all', testsAlsoUse: [], ...extras };
}

/** The floor that a file (a path from the repository's root) belongs to: the longest folder that fits. */
export function floorOf(path: string): Floor | 'none' {
  let found: Floor | 'none' = 'none';
  for (const floor of FLOORS) {
    if (!path.startsWith(`${floor.folder}/`)) continue;
    if (found === 'none' || floor.folder.length > found.folder.length) found = floor;
  }
  return found;
}
