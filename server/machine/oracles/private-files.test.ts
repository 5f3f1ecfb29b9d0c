/** Oracle 3 of private mappings of a file: the file's page until the first write, and the process' own from then on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelFunctions } from '../../kernel/kernel.ts';
import { setContents } from '../../kernel/memory/frames.ts';
import { newMemoryFile } from '../../kernel/memory/memory-file.ts';
import { OK } from '../../vocabulary/errno.ts';
import { pageOfU64 } from '../../vocabulary/page-contents.ts';
import {
  assertHealthy,
  brokenRules,
  cpu,
  load,
  type OpenedWorld,
  openedWorld,
  pages,
  runAlone,
  store,
  verb,
} from '../opened-world.fixture.ts';

/** Two pages of a file, shared and private. */
const SHARED = 8;
const PRIVATE = 16;

type Overrides = (stock: KernelFunctions) => Partial<KernelFunctions>;

function withFile(overrides?: Overrides): OpenedWorld {
  const opened = openedWorld(overrides === undefined ? {} : { overrides });
  const { kernel } = opened.world;
  kernel.files.set(900, newMemoryFile(kernel.context, 900, 2));
  const mapped = [
    { range: pages(SHARED, 2), kind: 'file-shared' },
    { range: pages(PRIVATE, 2), kind: 'file-private' },
  ] as const;
  for (const { range, kind } of mapped) {
    const mapping = cpu(opened).mmap({ range, prot: 'rw', kind, file: 900 });
    assert.deepEqual(runAlone(opened.world, 'cpu0', mapping), OK);
  }
  return opened;
}

function script(opened: OpenedWorld): OpenedWorld {
  const { world } = opened;
  store(opened, 7n, SHARED);
  load(opened, PRIVATE);
  store(opened, 8n, SHARED);
  load(opened, PRIVATE);
  verb(opened, 0, { verb: 'read', range: pages(PRIVATE) });
  store(opened, 9n, PRIVATE);
  load(opened, SHARED);
  store(opened, 10n, SHARED);
  load(opened, PRIVATE);
  assert.ok(runAlone(world, 'cpu0', cpu(opened).fork('child')).ok);
  load(opened, PRIVATE, 'child');
  store(opened, 11n, PRIVATE, 'child');
  load(opened, PRIVATE);
  verb(opened, 0, { verb: 'write', range: pages(PRIVATE), values: ['0xc'] });
  load(opened, PRIVATE);
  runAlone(world, 'cpu0', cpu(opened).mremap(pages(PRIVATE, 2), pages(PRIVATE + 8).first));
  load(opened, PRIVATE + 8);
  load(opened, PRIVATE + 9);
  runAlone(world, 'cpu0', cpu(opened).madvise(pages(PRIVATE + 8, 2), 'DONTNEED'));
  load(opened, PRIVATE + 8);
  return opened;
}

test('[OR3] a private page of a file is what the file holds, then its own, and the file again behind DONTNEED', () => {
  const opened = script(withFile());
  assert.equal(load(opened, PRIVATE + 8), 10n);
  assert.equal(load(opened, PRIVATE, 'child'), 11n);
  assertHealthy(opened);
});

const WRONG: ReadonlyMap<string, Overrides> = new Map<string, Overrides>([
  [
    'the file is written through a private mapping',
    (stock) => ({
      *doWpPage(k, _, at) {
        yield* stock.wpPageReuse(k, at);
        return 'done';
      },
    }),
  ],
  ['a first touch finds zeros', (stock) => ({ doFault: stock.doAnonymousPage })],
  ['DONTNEED takes nothing', () => ({ *zapPageRange() {} })],
]);

test('[OR3] each way to show another page is found', () => {
  for (const [what, overrides] of WRONG) {
    const found = brokenRules(script(withFile(overrides)));
    assert.ok(found.includes('OR3'), `${what}: ${found}`);
  }
});

test('[OR3] a copy that is made of another page than that of the file is found', () => {
  const opened = withFile((stock) => ({
    pageAddNewAnonRmap(k, mm, vma, page, pfn) {
      if (vma.kind === 'file-private') setContents(k.frames, pfn, pageOfU64(0x5n));
      stock.pageAddNewAnonRmap(k, mm, vma, page, pfn);
    },
  }));
  store(opened, 7n, SHARED);
  const api = cpu(opened);
  // A write fault, and no write.
  assert.ok(runAlone(opened.world, 'cpu0', api.pin(1, pages(PRIVATE), 'longterm')).ok);
  load(opened, PRIVATE);
  assert.deepEqual(brokenRules(opened), ['OR3']);
});
