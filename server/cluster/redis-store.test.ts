/** What one owner of a lab writes into Redis the next one reads, and an owner that is none any more writes nothing. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, suite, test } from 'node:test';
import { EventDigest } from '../journal/event-digest.ts';
import type { KeptLab } from '../journal/lab-file.ts';
import { JournalError } from '../journal/read-journal.ts';
import type { RecordingStore } from '../journal/recording-store.ts';
import { LabCommits } from './lab-commits.ts';
import { openRedis, type RedisLink } from './redis-link.ts';
import { OwnRedis, WITHOUT_REDIS } from './redis-server.fixture.ts';
import { type RedisStoreOptions, readRedisLab, redisStore } from './redis-store.ts';
import { BEAT, CLAIM, FIND, LEAVE } from './scripts.ts';

const MODEL = { hash: 'abc', version: '0' };
const LEASE_MS = 60_000;
const ROOM_CODE = 'BCDFG';

/** One server, as far as Redis sees it. */
interface Server {
  readonly id: string;
  readonly link: RedisLink;
  readonly commits: LabCommits;
  readonly options: RedisStoreOptions;
  readonly store: RecordingStore;
  readonly fenced: string[];
  readonly lost: string[];
}

let redis: OwnRedis;
let servers: Server[] = [];

suite('the store in Redis', { skip: WITHOUT_REDIS }, () => {
  before(async () => {
    redis = await OwnRedis.start();
  });

  after(() => redis.end());

  let one: Server;
  let other: Server;

  beforeEach(async () => {
    redis.command('flushall');
    one = await server('one');
    other = await server('other');
  });

  afterEach(() => {
    for (const { commits, link } of servers) {
      commits.close();
      link.close();
    }
    servers = [];
  });

  test('what one owner has written the next one reads, and goes on behind it', async () => {
    const recorder = await opened(one, 'room');
    for (let ms = 0; ms < 100; ms += 1) recorder.lab({ slow: { actor: 'cpu0', ms } });
    await one.commits.safe();
    await one.link.run(LEAVE, ['one']);
    const epoch = await claimed(other, 'room', 'taken');
    const { kept, recording } = await readRedisLab(other.options, 'room', epoch);
    assert.deepEqual(kept, keptLab('room', recorder.path));
    const lines = [...recording.lines()];
    assert.equal(lines.length, 101);
    const last = lines.at(-1);
    assert.ok(last?.kind === 'lab' && last.sum !== 'none');
    const { line, bytes, sum } = last;
    const soFar = { line, bytes, sum, n: 0, digest: new EventDigest() };
    recording.goOn(soFar).lab({ slow: { actor: 'cpu0', ms: 100 } });
    await other.commits.safe();
    const again = await readRedisLab(other.options, 'room', epoch);
    assert.equal([...again.recording.lines()].length, 102);
  });

  test('an owner that is none any more writes nothing, and nothing that waits for it is lost for others', async () => {
    const recorder = await opened(one, 'room');
    await opened(one, 'hall');
    await one.commits.safe();
    const had = written('room');
    await one.link.run(LEAVE, ['one']);
    await claimed(other, 'room', 'taken');
    recorder.lab({ slow: { actor: 'cpu0', ms: 1 } });
    await assert.rejects(recorder.writeCheckpoint('{}'), /not this server's any more/);
    await one.commits.safe();
    assert.deepEqual(one.fenced, ['room']);
    assert.deepEqual(written('room'), had);
    assert.deepEqual([one.commits.owns('room'), one.commits.owns('hall')], [false, true]);
  });

  test('a line that is sent twice is there once; one that does not follow is not written', async () => {
    const recorder = await opened(one, 'room');
    await one.commits.safe();
    const { bytes } = recorder.length;
    const had = written('room');
    one.commits.lines('room', recorder.path, 1, bytes, 'again');
    await one.commits.safe();
    assert.deepEqual(written('room'), had);
    one.commits.lines('room', recorder.path, bytes + 7, bytes + 9, 'x\n');
    await one.commits.safe();
    assert.deepEqual(one.lost, ['room']);
    assert.deepEqual(written('room'), had);
  });

  test('a line that the machine threw at is taken back', async () => {
    const recorder = await opened(one, 'room');
    recorder.lab({ slow: { actor: 'cpu0', ms: 1 } });
    await one.commits.safe();
    const { recording } = await readRedisLab(one.options, 'room', one.commits.epochOf('room'));
    const [header] = recording.lines();
    assert.ok(header !== undefined && header.sum !== 'none');
    const { line, bytes, sum } = header;
    recording.goOn({ line, bytes, sum, n: 0, digest: new EventDigest() });
    await one.commits.safe();
    const again = await readRedisLab(one.options, 'room', one.commits.epochOf('room'));
    assert.deepEqual([...again.recording.lines()], [header]);
  });

  test('what stands before the older checkpoint goes, and a reader from the beginning is told', async () => {
    const recorder = await opened(one, 'room');
    for (let ms = 0; ms < 20; ms += 1) {
      recorder.lab({ slow: { actor: 'cpu0', ms } });
      await one.commits.safe();
    }
    const place = recorder.length.bytes;
    recorder.lab({ slow: { actor: 'cpu0', ms: 20 } });
    recorder.forgetBefore(place);
    await one.commits.safe();
    const { recording } = await readRedisLab(one.options, 'room', one.commits.epochOf('room'));
    const lines = recording.lines();
    const first = lines.next();
    assert.equal(first.done === true ? 'nothing' : first.value.kind, 'header');
    assert.throws(() => lines.next(), JournalError);
  });

  test('a new machine: its recording counts, and the one before is gone', async () => {
    const first = await opened(one, 'room');
    const second = one.store.begin('room', { patch: 'stock' }, 1);
    one.store.keep(keptLab('room', second.path));
    first.close('state');
    await one.commits.safe();
    assert.deepEqual(one.lost, []);
    const logs = redis.command('keys', 'mmrace:log:*').split('\n');
    assert.deepEqual(logs, [`mmrace:log:room:${second.path}`]);
  });

  test('a lab is found by name and by code, and is gone when it is over', async () => {
    await opened(one, 'room');
    await one.commits.safe();
    const found = (name: string, by: string) => other.link.run(FIND, [name, name, by]);
    assert.deepEqual(await found('room', 'name'), ['room', 'http://one']);
    assert.deepEqual(await found(ROOM_CODE, 'code'), ['room', 'http://one']);
    assert.deepEqual(await found('room', 'code'), ['', '']);
    assert.deepEqual(await claim(other, 'room'), ['elsewhere', 'http://one']);
    one.store.remove('room');
    await one.commits.safe();
    assert.deepEqual(await found(ROOM_CODE, 'code'), ['', '']);
    assert.equal(redis.command('keys', 'mmrace:*room*'), '');
  });

  test('a lab of another model waits for a server of its own', async () => {
    await opened(one, 'room');
    await one.commits.safe();
    await one.link.run(LEAVE, ['one']);
    assert.deepEqual(await other.link.run(CLAIM, ['room', 'other', 'take', 'xyz']), [
      'other-model',
      '',
    ]);
    await claimed(other, 'room', 'taken');
  });
});

async function server(id: string): Promise<Server> {
  const link = await openRedis(redis.url, 'mmrace');
  const fenced: string[] = [];
  const lost: string[] = [];
  const commits = new LabCommits({
    link,
    leased: () => true,
    onFenced: (lab) => fenced.push(lab),
    onLost: (lab) => lost.push(lab),
    onStalled: () => undefined,
    onGoesOn: () => undefined,
  });
  const options = { link, commits, model: MODEL, keep: 0 };
  await link.run(BEAT, [id, `http://${id}`, LEASE_MS]);
  const made = { id, link, commits, options, store: redisStore(options), fenced, lost };
  servers.push(made);
  return made;
}

function claim({ id, link }: Server, lab: string): Promise<unknown> {
  return link.run(CLAIM, [lab, id, 'create', MODEL.hash]);
}

/** Returns: its epoch. */
async function claimed(by: Server, lab: string, expected: 'new' | 'taken'): Promise<string> {
  const [how, epoch = ''] = (await claim(by, lab)) as string[];
  assert.equal(how, expected);
  by.commits.take(lab, epoch);
  return epoch;
}

async function opened(by: Server, lab: string) {
  await claimed(by, lab, 'new');
  const recorder = by.store.begin(lab, { patch: 'stock' }, 0);
  by.store.keep(keptLab(lab, recorder.path));
  return recorder;
}

function keptLab(name: string, journal: string): KeptLab {
  const scene = { scenario: 'none', setup: [], seats: [], todo: [] };
  const joinCode = name === 'room' ? ROOM_CODE : 'HJKMN';
  return { name, joinCode, presenterToken: 'secret', stay: 'kept', ...scene, journal };
}

/** All that Redis has of the lab's recording. */
function written(lab: string): string {
  const [key = ''] = redis.command('keys', `mmrace:log:${lab}:*`).split('\n');
  return redis.command('--json', 'xrange', key, '-', '+');
}
