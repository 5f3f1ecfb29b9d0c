/**
 * A lab in which two bots race by a run sheet, on the stock kernel and on a patched one in turn, until a person takes a
 * seat. Then they leave, and come back when everybody has gone.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Lab } from '../../server/live/lab.ts';
import type { Scene } from '../../server/live/scene.ts';
import type { Cue } from '../../server/protocol/run-sheet.ts';
import { liveScenario } from '../../server/scenario/live-scenario.ts';
import { AS_WRITTEN, planScenario } from '../../server/scenario/scenario-plan.ts';
import { shippedScenario } from '../../server/scenario/shipped-scenarios.ts';
import { startDevice } from '../agents/device-agent.ts';
import type { PlayedAgent } from '../agents/played-agent.ts';
import type { VerbParams } from '../sdk/conductor.ts';
import type { LocalServer } from './local-server.ts';

const ROOM_LAB = 'room';
const SCENARIO = 'seed-zero-page';
const PATCHES = ['remove-second-invalidate', 'stock'] as const;
/** By role, in the order in which the page casts them. */
const BOTS: { readonly [role: string]: string } = { mover: 'bot0', reader: 'bot1' };
/** Milliseconds between two cues, and for the verdict to be read. */
const CUE_MS = 1_800;
const VERDICT_MS = 5_000;
const LOOK_MS = 500;

export interface RacingBots {
  readonly lab: Lab;
  /** Resolves when they have left. */
  stop(): Promise<void>;
}

/** Opens the lab; the bots race until stop(). */
export function startRacingBots(server: LocalServer): RacingBots {
  const { scene, page, cues, config } = roomScene();
  const { lab } = server.openLab(ROOM_LAB, { ...config, patch: PATCHES[0] }, scene);
  const ending = new AbortController();
  const race = new Race({ url: server.webSocketUrl, lab, page, cues, ending: ending.signal });
  const over = race.run().catch(() => undefined);
  return {
    lab,
    async stop() {
      ending.abort();
      await over;
    },
  };
}

function roomScene() {
  const scenario = shippedScenario(SCENARIO);
  if (scenario === 'none') throw new Error(`there is no scenario ${SCENARIO}`);
  const { config, ...rest } = liveScenario(planScenario(scenario, AS_WRITTEN), PATCHES[0]);
  const scene: Scene = { scenario: SCENARIO, ...rest };
  return { scene, page: scene.page ?? 0, cues: scene.sheet?.cues ?? [], config };
}

interface RaceOptions {
  readonly url: string;
  readonly lab: Lab;
  readonly page: number;
  readonly cues: readonly Cue[];
  readonly ending: AbortSignal;
}

class Race {
  readonly #options: RaceOptions;
  readonly #bots = new Map<string, PlayedAgent>();

  constructor(options: RaceOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { lab, ending } = this.#options;
    try {
      for (let round = 0; !ending.aborted; round += 1) {
        while (this.#peopleAreHere()) await this.#wait(LOOK_MS);
        const patch = PATCHES[round % PATCHES.length] ?? 'stock';
        await lab.renew({ ...lab.config, patch });
        await this.#join();
        await this.#race();
        if (this.#peopleAreHere()) await this.#leave('begin anew');
      }
    } finally {
      await this.#leave('as it is');
    }
  }

  /** Ends early when a person comes. */
  async #race(): Promise<void> {
    for (const { role, do: verbs, value } of this.#options.cues) {
      await this.#wait(CUE_MS);
      const name = BOTS[role] ?? '';
      for (const verb of verbs) {
        if (this.#peopleAreHere()) return;
        await this.#bots.get(name)?.perform(name, this.#params(verb, value));
      }
    }
    await this.#wait(VERDICT_MS);
  }

  #params(verb: Cue['do'][number], value: string | undefined): VerbParams {
    const { page } = this.#options;
    const range = { first: page, end: page + 1 };
    if (verb === 'pages' || verb === 'finalize') return { verb };
    return verb === 'write' ? { verb, range, values: [value ?? '0x1'] } : { verb, range };
  }

  #peopleAreHere(): boolean {
    const bots = new Set(Object.values(BOTS));
    return [...this.#options.lab.actors.keys()].some((name) => !bots.has(name));
  }

  async #join(): Promise<void> {
    const { url, lab } = this.#options;
    for (const name of Object.values(BOTS)) {
      if (this.#bots.has(name)) continue;
      const agent = startDevice({
        url,
        lab: lab.joinCode,
        name,
        connectMs: 5_000,
        say: () => undefined,
      });
      await agent.greeted;
      this.#bots.set(name, agent);
    }
  }

  /** A person begins with a machine that nothing has happened to. */
  async #leave(how: 'begin anew' | 'as it is'): Promise<void> {
    const { lab } = this.#options;
    for (const [name, agent] of this.#bots) {
      await agent.perform(name, { verb: 'finalize' }).catch(() => undefined);
      await agent.perform(name, { verb: 'release' }).catch(() => undefined);
      agent.close();
      await agent.left;
    }
    this.#bots.clear();
    if (how === 'begin anew') await lab.renew({ ...lab.config, patch: PATCHES[0] });
  }

  /** Ends at once where the race is to end. */
  async #wait(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#options.ending });
  }
}
