import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TraceProgram } from './parse-program.ts';
import { machineOf, WITH_SWAP, WITHOUT_SWAP } from './trace-machine.ts';

function programSeen(...states: TraceProgram['steps'][number]['state'][]): TraceProgram {
  const steps = states.map((state) => ({
    op: { op: 'exit', actor: 'cpu1' } as const,
    result: { errno: 'OK' } as const,
    state,
    vmas: 'unchanged' as const,
  }));
  return { id: 'seen', set: 'any name', seed: 0, steps };
}

const page = (char: string) => ({ '0x100200000': `a${char}` });
const dev = { dev0: {}, dev1: {} };

test('a trace gets swap if a page of either process was ever seen there, whatever its set is called', () => {
  assert.deepEqual(machineOf(programSeen({ cpu0: page('.'), ...dev })), WITHOUT_SWAP);
  const later = [
    { cpu0: page('a'), ...dev },
    { cpu0: page('s'), ...dev },
  ] as const;
  assert.deepEqual(machineOf(programSeen(...later)), WITH_SWAP);
  const child = { cpu0: page('a'), ...dev, cpu1: page('s'), same: {} };
  assert.deepEqual(machineOf(programSeen(child)), WITH_SWAP);
});
