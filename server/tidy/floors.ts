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
  /** The node modules of a pure floor: those whose functions are functions of their arguments alone. */
  readonly nodeModules: readonly string[];
  /** What its tests and benchmarks may use besides: a test needs something that runs its tasks. */
  readonly testsAlsoUse: readonly string[];
}

const TASKS = ['server/vocabulary', 'server/task'] as const;
const ABI = [...TASKS, 'server/abi'] as const;
const WIRE = [...ABI, 'server/protocol'] as const;
const MACHINE = [
  ...WIRE,
  'server/scheduler',
  'server/kernel',
  'clients/drivers',
  'server/patches',
  'server/machine',
] as const;
const PLAN = [...MACHINE, 'server/explorer', 'server/report'] as const;
const SCENARIO = [...PLAN, 'server/scenario'] as const;
/** What starts a whole server in a test. */
const SERVER = ['server/machine', 'server/live', 'server/gateway', 'server/http'] as const;

export const FLOORS: readonly Floor[] = [
  // Data: the build of the page reads their YAML.
  pure('scenarios', []),
  pure('server/vocabulary', []),
  pure('server/task', ['server/vocabulary'], { testsAlsoUse: ['server/scheduler'] }),
  // What kernel and devices say to each other, wherever the devices are.
  pure('server/abi', TASKS, { packages: ['typebox'] }),
  // The wire: the same in JSON, and all that only a connection needs.
  pure('server/protocol', ABI, { packages: ['typebox'] }),
  // The documents of the protocol, for those who write a client.
  pure('server/documents', WIRE, { packages: ['typebox'] }),

  // Scheduler, kernel and drivers never import each other: they meet in Task and in DeviceApi alone. That is why
  // the same text runs live and under the explorer.
  pure('server/scheduler', TASKS),
  pure('server/kernel', ABI, { testsAlsoUse: ['server/scheduler'] }),
  pure('clients/drivers', ABI, {
    packages: ['typebox'],
    testsAlsoUse: ['server/scheduler', 'server/kernel', 'server/machine'],
  }),

  pure('server/patches', [...ABI, 'server/kernel'], {
    testsAlsoUse: ['server/scheduler', 'server/machine'],
  }),
  pure('server/explorer', [...TASKS, 'server/scheduler']),
  pure('server/machine', [
    ...WIRE,
    'server/scheduler',
    'server/kernel',
    'clients/drivers',
    'server/patches',
  ]),
  // An event log as text: the page renders with it, too.
  pure('server/report', [...ABI, 'server/scheduler', 'server/explorer', 'server/kernel'], {
    nodeModules: ['node:crypto'],
    testsAlsoUse: ['clients/drivers', 'server/patches', 'server/machine'],
  }),

  outside('server/journal', [...WIRE, 'server/machine']),
  outside('clients/sdk', [...WIRE, 'server/scheduler', 'clients/drivers'], {
    testsAlsoUse: SERVER,
  }),
  // YAML to a plan, a plan to a world.
  outside('server/scenario', PLAN),
  // A question to a verdict, a verdict to a counterexample.
  outside('server/verify', [...SCENARIO, 'server/journal']),
  // The model against recordings of Linux, and against itself.
  outside('server/conformance', [...MACHINE, 'server/report', 'server/scenario']),
  // Planted mistakes, and whether what ships finds them.
  outside(
    'server/mutants',
    [...SCENARIO, 'server/journal', 'server/verify', 'server/conformance'],
    {
      packages: ['yaml'],
    },
  ),
  // What several servers share, in Redis: which of them has a lab, and its recording.
  outside('server/cluster', [...WIRE, 'server/machine', 'server/journal']),
  // Searches by many workers, on any number of machines, with Redis between them.
  outside('server/campaign', [...SCENARIO, 'server/journal', 'server/verify', 'server/cluster']),
  // A device from elsewhere under the schedules.
  outside('server/certify', [...SCENARIO, 'server/verify']),
  // A schedule of the model on a real kernel.
  outside('server/realkernel', SCENARIO, { packages: ['typebox', 'yaml'] }),
  outside('server/live', [
    ...WIRE,
    'server/scheduler',
    'server/kernel',
    'server/patches',
    'server/machine',
    'server/journal',
  ]),
  outside('server/gateway', [...WIRE, 'server/machine', 'server/journal', 'server/live'], {
    testsAlsoUse: ['clients/sdk', 'clients/agents'],
  }),
  outside(
    'server/http',
    [
      ...WIRE,
      'server/kernel',
      'clients/drivers',
      'server/patches',
      'server/documents',
      'server/machine',
      'server/journal',
      'server/report',
      'server/scenario',
      'server/verify',
      'server/live',
      'server/gateway',
    ],
    { testsAlsoUse: ['clients/sdk', 'clients/agents'] },
  ),
  // The floors above, wired to one server.
  outside('server/app', 'all'),
  outside('clients/agents', [...WIRE, 'clients/drivers', 'clients/sdk'], { testsAlsoUse: SERVER }),
  // The entry of the package: what `import ... from 'mmrace'` gives.
  outside('clients/library', [...WIRE, 'clients/drivers', 'clients/sdk', 'clients/agents'], {
    testsAlsoUse: ['server/app', 'clients/web'],
  }),
  // The drivers run in the page, it shows a race in the words of the reports, and its game is the machine itself.
  outside('clients/web', [...SCENARIO, 'scenarios', 'clients/sdk', 'clients/agents'], {
    testsAlsoUse: [...SERVER, 'server/app'],
  }),
  // Its end-to-end tests and their tools start whole servers.
  outside('clients/web/e2e', 'all'),

  // main.ts starts the server; the tidy test looks at all floors; the command line may use everything.
  outside('server', 'all'),
  // It looks at all floors, and writes the documents that follow from them.
  outside('server/tidy', 'all'),
  outside('clients/cli', 'all'),
];

interface Extras {
  readonly packages?: readonly string[];
  readonly nodeModules?: readonly string[];
  readonly testsAlsoUse?: readonly string[];
}

function pure(folder: string, uses: readonly string[], extras: Extras = {}): Floor {
  return {
    folder,
    nature: 'pure',
    uses,
    packages: [],
    nodeModules: [],
    testsAlsoUse: [],
    ...extras,
  };
}

function outside(folder: string, uses: readonly string[] | 'all', extras: Extras = {}): Floor {
  return {
    folder,
    nature: 'outside',
    uses,
    packages: 'all',
    nodeModules: [],
    testsAlsoUse: [],
    ...extras,
  };
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
