/**
 * The labs of a server that keeps them in Redis, among others that do: which it owns, what of them is written, and
 * those that it takes over when their server is gone.
 */
import { randomUUID } from 'node:crypto';
import type { FastifyBaseLogger } from 'fastify';
import { LabCommits } from '../cluster/lab-commits.ts';
import { Membership } from '../cluster/membership.ts';
import { openRedis, type RedisLink } from '../cluster/redis-link.ts';
import { type RedisStoreOptions, readRedisLab, redisStore } from '../cluster/redis-store.ts';
import { CLAIM, FIND, LABS_ELSEWHERE } from '../cluster/scripts.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { JournalHeader } from '../journal/journal-format.ts';
import { keptLabOf } from '../journal/lab-file.ts';
import { JournalError } from '../journal/read-journal.ts';
import type { RecordingStore, StoredLab } from '../journal/recording-store.ts';
import type { Elsewhere, LabElsewhere, Whereabouts } from '../live/elsewhere.ts';
import type { Lab } from '../live/lab.ts';
import type { Labs } from '../live/labs.ts';
import { canonicalJoinCode } from '../protocol/join-code.ts';
import type { ServerConfig } from './config.ts';
import type { Restoring } from './restoring.ts';
import { redisFailure } from './start-failure.ts';

/** Milliseconds for which a server that ends waits for Redis to have everything. */
const DRAIN_MS = 2_000;

/** What it works with once the server is there. */
export interface SharedAround {
  readonly labs: Labs;
  readonly gateway: Gateway;
  readonly restoring: Restoring;
  /** As clients and other servers reach this one. */
  readonly address: string;
}

export class SharedLabs implements Elsewhere {
  readonly commits: LabCommits;
  readonly store: RecordingStore;
  readonly #id = randomUUID();
  readonly #link: RedisLink;
  readonly #log: FastifyBaseLogger;
  readonly #byCode: boolean;
  readonly #leaseMs: number;
  readonly #model: string;
  readonly #storeOptions: RedisStoreOptions;
  readonly #taking = new Set<string>();
  #membership: Membership | 'none' = 'none';
  #around: SharedAround | 'none' = 'none';

  constructor(
    link: RedisLink,
    { keep, ownerLeaseMs }: ServerConfig,
    model: JournalHeader['model'],
    log: FastifyBaseLogger,
    joinBy: 'name' | 'code',
  ) {
    this.#link = link;
    this.#log = log;
    this.#byCode = joinBy === 'code';
    this.#leaseMs = ownerLeaseMs;
    this.#model = model.hash;
    this.commits = new LabCommits({
      link,
      leased: () => this.#membership !== 'none' && this.#membership.leased,
      onFenced: (lab) => this.#fenced(lab),
      onLost: (lab) => this.#lost(lab),
      onStalled: (why) => {
        log.error({ why }, 'labs stand still');
        this.#hold('stopped');
      },
      onGoesOn: (ms) => {
        log.warn({ ms: Math.round(ms) }, 'labs go on');
        this.#hold('free');
      },
    });
    // Memory is dearer than a disk.
    const kept = keep === 'all' ? 0 : keep;
    this.#storeOptions = { link, commits: this.commits, model, keep: kept };
    this.store = redisStore(this.#storeOptions);
  }

  /** Takes part: from now on others hear of it, and it takes over labs. Rejects with what Redis says. */
  async begin(around: SharedAround): Promise<void> {
    this.#around = around;
    this.#membership = new Membership({
      link: this.#link,
      id: this.#id,
      address: around.address,
      leaseMs: this.#leaseMs,
      owned: () => this.commits.owned,
      onFenced: (lab) => this.#fenced(lab),
      onOrphan: (lab) => {
        this.#takeOver(lab).catch((error) => {
          this.#log.warn({ lab, err: error }, 'a lab cannot be taken over now');
        });
      },
      onRenewed: () => this.commits.renewed(),
    });
    await this.#membership.begin();
    this.commits.begin();
  }

  addresses(): readonly string[] {
    return this.#membership === 'none' ? [] : this.#membership.others;
  }

  stalled(): string | 'none' {
    return this.commits.stalled;
  }

  async find(nameOrCode: string, create: 'create' | 'never'): Promise<Whereabouts> {
    if (this.#around === 'none') return { state: 'stalled' };
    try {
      const by = this.#byCode && create === 'never' ? 'code' : 'name';
      const code = canonicalJoinCode(nameOrCode);
      const [name, address] = (await this.#link.run(FIND, [nameOrCode, code, by])) as string[];
      if (name !== '' && name !== undefined) return this.#whereabouts(address ?? '');
      return create === 'create' ? await this.#claim(nameOrCode) : { state: 'unknown' };
    } catch (error) {
      this.#log.warn({ lab: nameOrCode, err: error }, 'Redis cannot say where a lab is');
      return { state: 'stalled' };
    }
  }

  async labs(): Promise<readonly LabElsewhere[]> {
    try {
      const found = (await this.#link.run(LABS_ELSEWHERE, [this.#id])) as [
        string,
        string,
        string,
      ][];
      return found
        .map(([name, kept, address]) => ({
          name,
          code: keptLabOf(kept, name, name).joinCode,
          address,
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (error) {
      this.#log.warn({ err: error }, 'Redis cannot say which labs other servers have');
      return [];
    }
  }

  notOpened(lab: string): void {
    if (this.commits.owns(lab)) this.commits.over(lab);
  }

  /** Leads a lab that has failed to where it was: from what was written of it. */
  again({ name }: Lab): void {
    const read = () => {
      this.#takeOver(name).catch((error) => {
        this.#log.error({ lab: name, err: error }, 'a lab that has failed cannot be led back');
      });
    };
    if (this.commits.whenSafe(read) === 'now') read();
  }

  /** Its labs are closed: what they have said is written, and they are for other servers. */
  async end(): Promise<void> {
    await this.commits.drain(DRAIN_MS);
    if (this.#membership !== 'none') await this.#membership.leave();
    this.commits.close();
    this.#link.close();
  }

  #whereabouts(address: string): Whereabouts {
    if (address === '' || address === this.#own()) return { state: 'restoring' };
    return { state: 'elsewhere', address };
  }

  #own(): string {
    return this.#around === 'none' ? '' : this.#around.address;
  }

  async #claim(lab: string): Promise<Whereabouts> {
    const [how, told] = (await this.#link.run(CLAIM, [
      lab,
      this.#id,
      'create',
      this.#model,
    ])) as string[];
    switch (how) {
      case 'new':
        this.commits.take(lab, told ?? '');
        return { state: 'here' };
      case 'mine':
        return { state: this.commits.owns(lab) ? 'here' : 'restoring' };
      case 'elsewhere':
        return { state: 'elsewhere', address: told ?? '' };
      case 'taken':
        await this.#readClaimed(lab, told ?? '');
        return { state: 'restoring' };
      default:
        return { state: 'restoring' };
    }
  }

  async #takeOver(lab: string): Promise<void> {
    if (this.#taking.has(lab) || this.#around === 'none') return;
    this.#taking.add(lab);
    try {
      const [how, epoch] = (await this.#link.run(CLAIM, [
        lab,
        this.#id,
        'take',
        this.#model,
      ])) as string[];
      if (how === 'taken' || how === 'mine') await this.#readClaimed(lab, epoch ?? '');
    } finally {
      this.#taking.delete(lab);
    }
  }

  /** What cannot be read for now is this server's in Redis and not here: the next beat finds it. */
  async #readClaimed(lab: string, epoch: string): Promise<void> {
    if (this.#around === 'none') return;
    const { restoring } = this.#around;
    let read: () => StoredLab;
    try {
      const stored = await readRedisLab(this.#storeOptions, lab, epoch);
      read = () => stored;
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      read = () => {
        throw error;
      };
    }
    this.commits.take(lab, epoch);
    this.#log.info({ lab, epoch }, 'a lab is taken over');
    restoring.again(lab, read);
  }

  #fenced(lab: string): void {
    this.#log.warn({ lab }, 'another server has a lab now');
    this.#letGo(lab);
  }

  #lost(lab: string): void {
    this.#log.fatal({ lab }, 'Redis does not have what it has acknowledged: is its appendonly on?');
    this.#letGo(lab);
  }

  #letGo(name: string): void {
    this.commits.forget(name);
    if (this.#around === 'none') return;
    const { labs, gateway } = this.#around;
    const lab = labs.get(name);
    if (lab === 'none') return;
    gateway.drop(lab);
    labs.lose(lab);
  }

  #hold(state: 'stopped' | 'free'): void {
    if (this.#around !== 'none') this.#around.gateway.hold(state);
  }
}

/** Rejects: StartFailure if Redis cannot be used. */
export async function openSharedLabs(
  config: ServerConfig,
  model: JournalHeader['model'],
  log: FastifyBaseLogger,
  joinBy: 'name' | 'code',
): Promise<SharedLabs> {
  let link: RedisLink;
  try {
    link = await openRedis(config.redis, config.redisPrefix);
  } catch (error) {
    throw redisFailure(config.redis, error);
  }
  const [policy, limit, appends] = await Promise.all(
    ['maxmemory-policy', 'maxmemory', 'appendonly'].map((name) => link.setting(name)),
  );
  if (limit !== '0' && limit !== 'unknown' && policy !== 'noeviction') {
    link.close();
    const why = `its maxmemory-policy is ${policy}, so it may forget labs: set noeviction`;
    throw redisFailure(config.redis, new Error(why));
  }
  if (appends === 'no') {
    log.warn('Redis keeps nothing on its disk (appendonly no): labs end when it does');
  }
  return new SharedLabs(link, config, model, log, joinBy);
}
