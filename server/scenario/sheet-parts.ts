/** What every run sheet that is made of a counterexample has: its page, its title, its cast. */
import type { Event } from '../abi/event.ts';
import { PAGE_SIZE } from '../vocabulary/address.ts';
import type { LiveScenario } from './live-scenario.ts';
import type { Scenario } from './scenario-schema.ts';

export interface SheetRun {
  readonly scenario: Scenario;
  /** Who the actors of the execution are. */
  readonly seats: LiveScenario['seats'];
  /** Of the execution, behind the setup. */
  readonly events: readonly Event[];
}

export const CAST_MAX = 8;
const TITLE_MAX = 48;

export function titleOf({ scenario }: SheetRun): string {
  return `${scenario.name}, as it breaks`.slice(0, TITLE_MAX);
}

/** The page that is looked at, its place, and what was broken last; or why there is none, in a sentence. */
export function pageOfRun({ scenario, events }: SheetRun):
  | {
      readonly page: number;
      readonly at: string;
      readonly violation: Extract<Event, { kind: 'violation' }> | undefined;
    }
  | { readonly why: string } {
  const violation = events.findLast((event) => event.kind === 'violation');
  const first = events.find((event) => 'page' in event);
  const page = violation?.page ?? (first !== undefined && 'page' in first ? first.page : undefined);
  const vma = scenario.vmas.find(({ address, pages }) => {
    const begins = address / PAGE_SIZE;
    return page !== undefined && begins <= page && page < begins + pages;
  });
  if (page === undefined || vma === undefined) return { why: 'It is about no page of its own.' };
  const offset = page - vma.address / PAGE_SIZE;
  return { page, at: offset === 0 ? vma.name : `${vma.name}+${offset}`, violation };
}

/** Roles have letters only. */
export function roleNames(actors: Iterable<string>): ReadonlyMap<string, string> {
  const roles = new Map<string, string>();
  for (const actor of actors) {
    if (roles.has(actor)) continue;
    const stem =
      actor
        .toLowerCase()
        .replace(/[^a-z]/g, '')
        .slice(0, ROLE_STEM_MAX) || 'actor';
    const taken = new Set(roles.values());
    const free = [stem, ...ENDINGS.map((letter) => stem + letter)].find((name) => !taken.has(name));
    roles.set(actor, free ?? stem);
  }
  return roles;
}

const ROLE_STEM_MAX = 15;
const ENDINGS = [...'bcdefgh'];

export function castOf({ scenario }: SheetRun, roles: ReadonlyMap<string, string>) {
  return [...roles].map(([actor, role]) => {
    const template = scenario.actors.find(({ name }) => {
      return name === actor || (actor.startsWith(name) && /^\d+$/.test(actor.slice(name.length)));
    });
    const says = `You are ${actor} of the counterexample. Do what the button says, when it says it.`;
    return { role, actor: template?.name ?? actor, says: says.slice(0, SAYS_MAX) };
  });
}

const SAYS_MAX = 120;
