/** Small worlds for the drivers after real ones: one thing that the device does, and one that goes on beside it. */

/** What a device does, with what it has done before. */
export interface DeviceDeed {
  readonly name: string;
  readonly setup: readonly string[];
  readonly program: string;
}

export const FAULTS: DeviceDeed = {
  name: 'faults',
  setup: [],
  program: '{ do: write, at: a, value: 7 }',
};

export const REFAULTS: DeviceDeed = {
  name: 'has the page, and reads',
  setup: ['{ actor: dev0, do: fault-read, at: a }'],
  program: '{ do: read, at: a }',
};

export const MIGRATES: DeviceDeed = {
  name: 'migrates',
  setup: [],
  program: '{ do: migrate, at: a }',
};

export const HAS_MIGRATED: DeviceDeed = {
  name: 'has the page in its memory, and writes',
  setup: ['{ actor: dev0, do: migrate, at: a }'],
  program: '{ do: write, at: a, value: 7 }',
};

/** What goes on beside it, by name: the program of a CPU. */
export const BESIDE: ReadonlyMap<string, string> = new Map([
  ['MADV_DONTNEED', '{ do: madvise, at: a, advice: DONTNEED }'],
  ['MADV_PAGEOUT', '{ do: madvise, at: a, advice: PAGEOUT }'],
  ['munmap', '{ do: munmap, at: a, pages: 1 }'],
  ['mprotect', '{ do: mprotect, at: a, pages: 1, prot: r }'],
  ['fork', '{ do: fork, child: child }'],
  ['a store', '{ do: store, at: a, value: 2 }'],
  ['a load', '{ do: load, at: a }'],
]);

/** The scenario of one pair, under every oracle, the contract's among them. */
export function pairScenario(driver: string, deed: DeviceDeed, beside: string): string {
  const child = beside.includes('fork') ? '\n  - { name: child, kind: cpu }' : '';
  const setup = ['{ actor: cpu0, do: store, at: a, value: 1 }', ...deed.setup];
  return `name: pair
title: One deed of a device, and one beside it
provenance: constructed
vmas:
  - { name: a, address: 0x100200000, pages: 1, prot: rw, kind: anon-private }
machine: { swapSlots: 2 }
setup:
${setup.map((line) => `  - ${line}`).join('\n')}
actors:
  - name: cpu0
    kind: cpu
    program:
      - ${beside}
  - name: dev0
    kind: device
    driver: ${driver}
    program:
      - ${deed.program}${child}
oracles: [OR1, OR2, OR3, OR4, OR5, OR6]
expect: { patches: { stock: holds } }
`;
}

/** The same page is migrated by another device meanwhile. */
export function besideDevice(driver: string, deed: DeviceDeed): string {
  const setup = ['{ actor: cpu0, do: store, at: a, value: 1 }', ...deed.setup];
  return `name: pair
title: One deed of a device, and a migration by another
provenance: constructed
vmas:
  - { name: a, address: 0x100200000, pages: 1, prot: rw, kind: anon-private }
setup:
${setup.map((line) => `  - ${line}`).join('\n')}
actors:
  - { name: cpu0, kind: cpu }
  - name: dev0
    kind: device
    driver: ${driver}
    program:
      - ${deed.program}
  - name: dev1
    kind: device
    driver: corrected
    program:
      - { do: migrate, at: a }
oracles: [OR1, OR2, OR3, OR4, OR5, OR6]
expect: { patches: { stock: holds } }
`;
}
