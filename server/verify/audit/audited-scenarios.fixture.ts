/** Small programs that between them use most of the kernel: what the scenarios that ship leave out. */

const HEAD = `
title: for the audit
provenance: none
`;

export const AUDITED: readonly string[] = [
  `name: swap-and-fork${HEAD}
machine: { swapSlots: 2 }
vmas: [{ name: a, address: 0x100200000, pages: 2, prot: rw, kind: anon-private }]
setup:
  - { actor: cpu0, do: store, at: a, value: 1 }
  - { actor: cpu0, do: store, at: a+1, value: 2 }
actors:
  - name: cpu0
    kind: cpu
    program:
      - { do: madvise, at: a, pages: 2, advice: PAGEOUT }
      - { do: load, at: a, as: r0 }
      - { do: fork, child: child }
  - name: cpu1
    kind: cpu
    program:
      - { do: store, at: a, value: 3 }
      - { do: madvise, at: a, advice: FREE }
      - { do: store, at: a+1, value: 4 }
  - name: child
    kind: cpu
    program:
      - { do: wait, for: cpu0 }
      - { do: store, at: a, value: 5 }
      - { do: exit }
  - name: dev0
    kind: device
    program: [{ do: fault-write, at: a, pages: 2 }]
expect: { patches: { stock: holds } }
`,
  `name: mappings-change${HEAD}
vmas: [{ name: a, address: 0x100200000, pages: 4, prot: rw, kind: anon-private }]
setup: [{ actor: cpu0, do: store, at: a+1, value: 1 }]
actors:
  - name: cpu0
    kind: cpu
    program:
      - { do: mprotect, at: a+1, pages: 2, prot: r }
      - { do: load, at: a+1, as: r0 }
      - { do: mremap, at: a+1, pages: 1, to: a+3 }
  - name: cpu1
    kind: cpu
    program:
      - { do: store, at: a+1, value: 2 }
      - { do: munmap, at: a, pages: 1 }
      - { do: load, at: a+2, as: r1 }
  - name: dev0
    kind: device
    program: [{ do: fault-read, at: a+1, pages: 2 }, { do: migrate, at: a+1 }]
expect: { patches: { stock: holds } }
`,
  `name: exclusive-and-pins${HEAD}
vmas: [{ name: a, address: 0x100200000, pages: 1, prot: rw, kind: anon-private }]
setup: [{ actor: cpu0, do: store, at: a, value: 1 }]
actors:
  - name: cpu0
    kind: cpu
    program:
      - { do: pin, id: 1, at: a, pages: 1, mode: longterm }
      - { do: unpin, id: 1 }
      - { do: store, at: a, value: 2 }
  - name: dev0
    kind: device
    driver: corrected
    program: [{ do: exclusive, at: a }, { do: check-exclusive, at: a }]
  - name: dev1
    kind: device
    driver: corrected
    program: [{ do: snapshot, at: a }, { do: migrate-to-dev, at: a }, { do: migrate-to-sys, at: a }]
expect: { patches: { stock: holds } }
`,
  `name: shared-and-exit${HEAD}
vmas:
  - { name: s, address: 0x100200000, pages: 1, prot: rw, kind: anon-shared }
  - { name: a, address: 0x100201000, pages: 1, prot: rw, kind: anon-private }
setup: [{ actor: cpu0, do: store, at: a, value: 1 }, { actor: dev0, do: migrate, at: a }]
actors:
  - name: cpu0
    kind: cpu
    program: [{ do: store, at: s, value: 1 }, { do: oom-reap, as: r0 }]
  - name: cpu1
    kind: cpu
    program: [{ do: load, at: s, as: r0 }, { do: load, at: a, as: r1 }]
  - name: dev0
    kind: device
    driver: corrected
    program: [{ do: fault-read, at: s }, { do: release }]
expect: { patches: { stock: holds } }
`,
  `name: short-of-memory${HEAD}
machine: { systemPages: 2, devicePages: 2 }
vmas: [{ name: a, address: 0x100200000, pages: 3, prot: rw, kind: anon-private }]
actors:
  - name: cpu0
    kind: cpu
    program: [{ do: store, at: a, value: 1 }, { do: madvise, at: a, advice: DONTNEED }]
  - name: cpu1
    kind: cpu
    program: [{ do: store, at: a+1, value: 1, as: r0 }]
  - name: cpu2
    kind: cpu
    program: [{ do: store, at: a+2, value: 1, as: r0 }]
expect: { patches: { stock: holds } }
`,
  `name: two-guests${HEAD}
machine: { swapSlots: 2 }
vmas: [{ name: a, address: 0x100200000, pages: 2, prot: rw, kind: anon-private }]
setup: [{ actor: cpu0, do: store, at: a, value: 1 }, { actor: guest1, do: read, at: a }]
actors:
  - name: cpu0
    kind: cpu
    program:
      - { do: madvise, at: a, advice: PAGEOUT }
      - { do: oom-reap, as: r0 }
      - { do: fork, child: child }
      - { do: munmap, at: a, pages: 1 }
  - name: child
    kind: cpu
    program: [{ do: store, at: a+1, value: 5 }, { do: exit }]
  - name: guest0
    kind: device
    driver: kvm
    program: [{ do: delete-memslot, at: a }, { do: add-memslot, at: a }, { do: write, at: a+1, value: 3 }]
  - name: guest1
    kind: device
    driver: kvm
    program: [{ do: read-cached, at: a }, { do: release }, { do: read, at: a, as: r0 }]
  - name: dev0
    kind: device
    driver: corrected
    program: [{ do: migrate, at: a+1 }]
expect: { patches: { stock: holds } }
`,
];
