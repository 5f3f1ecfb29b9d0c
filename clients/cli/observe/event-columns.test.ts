import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { Event } from '../../../server/abi/event.ts';
import { EventColumns } from './event-columns.ts';

const violation: Event = {
  n: 12,
  actor: 'gpu1',
  task: 'read',
  kind: 'violation',
  oracle: 'values',
  rule: 'OR3',
  text: 'read 0x0, where 0x2a was written last',
  device: 'gpu1',
  page: 16,
  cpuHistory: [],
  deviceHistory: [],
};
const attach = (actor: string, n = 1): Event => ({
  n,
  actor,
  task: '',
  kind: 'attach',
  role: 'device',
});

test('columns are number, actor, what; they begin at the same place in every line', () => {
  const columns = new EventColumns('plain', ['gpu0', 'a-longer-name']);
  assert.equal(columns.line(attach('gpu0')), '         1 gpu0          attaches as device');
  assert.equal(columns.line(attach('cpu0', 12_345)), '     12345 cpu0          attaches as device');
});

test('a violation is marked in the margin, and in red where there are colours', () => {
  const plain = new EventColumns('plain').line(violation);
  assert.match(plain, /^!!! {5}12 gpu1 +VIOLATION \[OR3\] values: gpu1 at 0x10000: read 0x0/);
  const coloured = new EventColumns('colour').line(violation);
  assert.equal(stripVTControlCharacters(coloured), plain);
  assert.ok(coloured.includes('[31m'));
});

test('every actor has a colour of its own, and keeps it; without colours there are none', () => {
  const columns = new EventColumns('colour', ['gpu0', 'gpu1']);
  /** What stands between the number and the name. */
  const style = (name: string) => columns.line(attach(name)).split(name)[0]?.split('1')[1];
  assert.notEqual(style('gpu0'), style('gpu1'));
  assert.equal(style('gpu0'), style('gpu0'));
  const plain = new EventColumns('plain').line(attach('gpu0'));
  assert.equal(stripVTControlCharacters(plain), plain);
});
