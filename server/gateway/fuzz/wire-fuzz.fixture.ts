/**
 * Structured frames against a gateway with a real machine: clients that say anything, in a lab of theirs, beside a
 * bystander in a lab of its own whose memory must stay right.
 */
import { newLiveMachine } from '../../live/new-live-machine.ts';
import { type Harness, RawClient, startHarness } from '../gateway.fixture.ts';
import { type Chance, chanceFrom } from './chance.fixture.ts';
import { FuzzedClient, type FuzzedRole } from './fuzzed-client.fixture.ts';

const LAB = 'fuzzed';
const ROLES: readonly FuzzedRole[] = ['device', 'device', 'cpu', 'cpu'];
/** Frames between two looks at the bystander. */
const LOOK_EVERY = 500;
/** Frames after which the lab begins anew: its process may have exited long before. */
const RENEW_EVERY = 1_000;
const BYSTANDER_ADDRESS = '0x300000000';

export interface WireFuzz {
  readonly frames: number;
  readonly seed: number;
}

export interface WireFuzzed {
  readonly frames: number;
  /** Requests that succeeded, by method. */
  readonly served: ReadonlyMap<string, number>;
  /** Clients that came, the first included. */
  readonly clients: number;
}

/** Rejects: what a lab or a connection has thrown; Error for a wrong answer to the bystander, or a lab that is gone. */
export async function fuzzWire({ frames, seed }: WireFuzz): Promise<WireFuzzed> {
  const chance = chanceFrom(seed);
  const way = { chance, served: new Map<string, number>() };
  const harness = await startHarness(newLiveMachine);
  try {
    const bystander = await Bystander.join(harness);
    const clients = await Promise.all(ROLES.map((role, at) => newClient(harness, role, at, way)));
    let joined = clients.length;
    for (let frame = 1; frame <= frames; frame += 1) {
      const at = chance.below(clients.length);
      let client = clients[at] as FuzzedClient;
      if (!client.isOpen || chance.in100(0.2)) {
        client.leave();
        joined += 1;
        client = await newClient(harness, client.role, joined, way);
        clients[at] = client;
      }
      client.speak();
      await client.settled();
      if (chance.in100(5)) harness.pass(chance.of([1, 50, 1_100]));
      if (frame % LOOK_EVERY === 0) await bystander.look();
      if (frame % RENEW_EVERY === 0) renew(harness);
      if (harness.bugs.length > 0) throw harness.bugs[0];
    }
    return { frames, served: way.served, clients: joined };
  } finally {
    await harness.close();
  }
}

/** Throws: Error if the lab is not open any more. */
function renew(harness: Harness): void {
  const lab = harness.labs.get(LAB);
  if (lab === 'none') throw new Error(`${LAB} is gone`);
  // A client may leave the reset without an answer: it is not waited for.
  lab.renew(lab.config).catch((error: unknown) => harness.bugs.push(error));
}

async function newClient(
  harness: Harness,
  role: FuzzedRole,
  number: number,
  way: { readonly chance: Chance; readonly served: Map<string, number> },
): Promise<FuzzedClient> {
  const client = new FuzzedClient(harness.url, role, `${role}${number}`, way);
  await client.join(LAB);
  return client;
}

/** A CPU that stores a number and expects to load it. */
class Bystander {
  readonly #client: RawClient;
  #stored = 0;

  private constructor(client: RawClient) {
    this.#client = client;
  }

  static async join(harness: Harness): Promise<Bystander> {
    const client = await new RawClient(harness.url).opened();
    await client.hello('cpu', 'cpu0', { lab: 'quiet' });
    const region = { address: BYSTANDER_ADDRESS, pages: 1 };
    await client.ask(1, 'mmap', { ...region, prot: 'rw', kind: 'anon-private' });
    return new Bystander(client);
  }

  async look(): Promise<void> {
    this.#stored += 1;
    const value = `0x${this.#stored.toString(16)}`;
    await this.#client.ask(2, 'store', { address: BYSTANDER_ADDRESS, value });
    const { result } = await this.#client.ask(3, 'load', { address: BYSTANDER_ADDRESS });
    if (result?.value !== value) {
      throw new Error(`the bystander stored ${value} and loaded ${JSON.stringify(result)}`);
    }
  }
}
