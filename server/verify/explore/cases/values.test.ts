/** Oracle 3 on kernels and drivers that lose values where nobody compares registers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dmirrorWith } from '../../../../clients/drivers/dmirror/dmirror-variant.ts';
import type { DriverVariant } from '../../../../clients/drivers/interface/driver-variant.ts';
import type { KernelFunctions } from '../../../kernel/kernel.ts';
import { setContents } from '../../../kernel/memory/frames.ts';
import { readPte } from '../../../kernel/memory/page-table.ts';
import { ptePfn } from '../../../kernel/memory/pte.ts';
import type { TaskIdentity } from '../../../task/context.ts';
import { pageOfU64 } from '../../../vocabulary/page-contents.ts';
import { answer } from './asked-scenario.fixture.ts';

const COW = `
name: cow-set-before-flush
title: A thread breaks COW, another thread of the same process reads the old page afterwards
provenance: clear, flush, set is the order that wp_page_copy() must keep
vmas:
  - { name: a, address: 0x100200000, pages: 1, prot: rw, kind: anon-private }
setup:
  - { actor: cpu0, do: load, at: a }
actors:
  - { name: cpu0, kind: cpu, program: [ { do: store, at: a, value: 1 } ] }
  - { name: cpu2, kind: cpu, program: [ { do: store, at: a, value: 1 } ] }
  - name: cpu1
    kind: cpu
    program: [ { do: load, at: a }, { do: wait, for: cpu2 }, { do: load, at: a } ]
expect: { patches: { stock: holds } }
`;

/** wp_page_copy() flushes when it has set the new entry, still inside its bracket. */
function setsBeforeFlush(stock: KernelFunctions): Partial<KernelFunctions> {
  const copying = new Set<TaskIdentity>();
  return {
    *wpPageCopy(k, request, seen) {
      copying.add(k.context.current);
      const outcome = yield* stock.wpPageCopy(k, request, seen);
      copying.delete(k.context.current);
      return outcome;
    },
    *flushTlbRange(k, mm, range) {
      if (!copying.has(k.context.current)) yield* stock.flushTlbRange(k, mm, range);
    },
    *mmuNotifierInvalidateRangeEnd(k, invalidation) {
      if (copying.has(k.context.current)) {
        yield* stock.flushTlbRange(k, invalidation.mm, invalidation.range);
      }
      yield* stock.mmuNotifierInvalidateRangeEnd(k, invalidation);
    },
  };
}

test('[OR10] a copy on write that is set before the TLBs are flushed is found, though its bracket is open', () => {
  const why = answer(COW, { overrides: setsBeforeFlush });
  assert.match(why, /^OR10: 0x100200000 becomes frame 0x1 while the TLB of cpu0 remembers/);
  assert.equal(answer(COW), 'holds');
});

const HOLE = `
name: hole-not-cleared
title: A page that is not there yet migrates, and is read
provenance: a mistake that drivers make
vmas:
  - { name: a, address: 0x100200000, pages: 1, prot: rw, kind: anon-private }
actors:
  - name: cpu0
    kind: cpu
    program: [ { do: wait, for: dev0 }, { do: load, at: a } ]
  - { name: dev0, kind: device, program: [ { do: migrate, at: a } ] }
expect: { patches: { stock: holds } }
`;

/** A driver that fills the pages of holes with whatever was in its memory. */
const leaksOldData: DriverVariant = {
  id: 'leaks-old-data',
  provenance: 'a test',
  summary: 'does not clear pages that were not there',
  newDevice(options) {
    const { api } = options;
    const dmaWrite: typeof api.dmaWrite = (targets, contents) =>
      api.dmaWrite(
        targets,
        contents.map((page) => (page.length === 0 ? pageOfU64(0xdeadn) : page)),
      );
    return dmirrorWith({ ...options, api: { ...api, dmaWrite } }, {});
  },
};

test('[OR3] memory that was never written is zero, wherever it has been', () => {
  assert.match(answer(HOLE, { driver: leaksOldData }), /^OR3: cpu0 read 0xdead .* where 0x0 was/);
  assert.equal(answer(HOLE), 'holds');
});

const MOVED = `
name: moved
title: A page moves and is read at its new place
provenance: a test
vmas:
  - { name: a, address: 0x100200000, pages: 1, prot: rw, kind: anon-private }
  - { name: b, address: 0x100000000, pages: 1, prot: rw, kind: anon-private }
setup:
  - { actor: cpu0, do: store, at: a, value: 1 }
actors:
  - name: cpu0
    kind: cpu
    program: [ { do: mremap, at: a, to: b }, { do: load, at: b } ]
expect: { patches: { stock: holds } }
`;

test('[OR3] mremap() carries what was written, and DONTNEED leaves zero', () => {
  const movesSpoilt = (stock: KernelFunctions): Partial<KernelFunctions> => ({
    *mremap(k, mm, range, to) {
      const moved = yield* stock.mremap(k, mm, range, to);
      setContents(k.frames, ptePfn(readPte(mm.table, to)), pageOfU64(0x99n));
      return moved;
    },
  });
  assert.match(answer(MOVED, { overrides: movesSpoilt }), /^OR3: .*0x99.* where 0x1 was/);
  assert.equal(answer(MOVED), 'holds');
  const dropped = MOVED.replace(
    '{ do: mremap, at: a, to: b }',
    '{ do: madvise, at: a, advice: DONTNEED }',
  ).replace('{ do: load, at: b }', '{ do: load, at: a }');
  const dropsNothing = (): Partial<KernelFunctions> => ({ *zapPageRange() {} });
  assert.match(answer(dropped, { overrides: dropsNothing }), /^OR3: .*0x1\b.* where 0x0 was/);
  assert.equal(answer(dropped), 'holds');
});
