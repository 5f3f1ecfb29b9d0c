import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXIT } from './exit-codes.ts';

const BENCH = fileURLToPath(new URL('bench.ts', import.meta.url));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [BENCH, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

test('--help prints the usage and runs nothing', async () => {
  for (const flag of ['--help', '-h']) {
    const { code, stdout, stderr } = await bench(flag);
    assert.equal(code, EXIT.OK);
    assert.match(stdout, /^usage: npm run bench/);
    assert.equal(stderr, '');
  }
});

test('a wrong command line is one sentence and exit 64', async () => {
  const wrong: [string[], RegExp][] = [
    [['--fast'], /unknown option --fast/],
    [['-q'], /unknown option -q/],
    [['--quick=yes'], /--quick takes no value/],
    [['faults', 'migrations'], /one word, not "faults" and "migrations"/],
    [['no-such-benchmark'], /no benchmark has "no-such-benchmark" in its path/],
  ];
  for (const [args, sentence] of wrong) {
    const { code, stdout, stderr } = await bench(...args);
    assert.equal(code, EXIT.USAGE, args.join(' '));
    assert.match(stderr, sentence);
    assert.equal(stderr.trimEnd().split('\n').length, 1);
    assert.equal(stdout, '');
  }
});
