/** The guest's only program, built with the compiler of this system. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { asset } from './asset.ts';
import { initramfs } from './initramfs.ts';

const SOURCE = 'guest/actor.c';
const COMPILER = ['-O2', '-static', '-no-pie', '-pthread'];
const DONE = 'op_done';

export interface BuiltActor {
  /** A path. */
  readonly initrd: string;
  /** The function that each thread calls when it has done what it was told. */
  readonly opDone: bigint;
}

/** Into `folder`. Throws: what the compiler says. */
export function buildActor(folder: string): BuiltActor {
  const [program, initrd] = [join(folder, 'actor'), join(folder, 'initramfs.gz')];
  execFileSync('gcc', [...COMPILER, '-o', program, asset(SOURCE)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const symbols = execFileSync('nm', [program], { encoding: 'utf8' });
  const line = symbols.split('\n').find((one) => one.endsWith(` T ${DONE}`));
  if (line === undefined) throw new Error(`nm ${program}: no ${DONE}`);
  writeFileSync(initrd, gzipSync(initramfs(readFileSync(program))));
  return { initrd, opDone: BigInt(`0x${line.split(' ')[0]}`) };
}
