/** The page's addresses. Pure: the caller has the browser's bar and history. */

import { KERNEL_IDS } from '../../server/abi/kernel-ids.ts';
import type { NewRun } from '../../server/protocol/http-api.ts';

export type Route =
  | { readonly view: 'home' }
  | { readonly view: 'join'; readonly code: string }
  | {
      readonly view: 'lab';
      readonly lab: string;
      readonly event: number | 'live';
      /** 'off': a person who came to watch touches nothing, even where everybody may. */
      readonly hand: 'on' | 'off';
    }
  | { readonly view: 'stage'; readonly lab: string }
  | { readonly view: 'console'; readonly lab: string }
  /** The player is the scheduler; `moves` are the choices so far, a letter each. */
  | {
      readonly view: 'break';
      readonly level: string;
      readonly moves: string;
      /** The lab whose phones choose; empty for a player alone. */
      readonly room: string;
    }
  /** Two kernels on one order of steps: after `at` of them. */
  | { readonly view: 'step'; readonly level: string; readonly moves: string; readonly at: number }
  | { readonly view: 'device'; readonly lab: string; readonly actor: string }
  | { readonly view: 'cpu'; readonly lab: string; readonly actor: string }
  | { readonly view: 'explore'; readonly question: NewRun | 'none' }
  | {
      readonly view: 'run';
      readonly id: string;
      /** What was asked: the address is enough to ask again. */
      readonly question: NewRun | 'none';
      readonly event: number | 'end';
    }
  | { readonly view: 'matrix' }
  | { readonly view: 'campaigns' }
  | { readonly view: 'campaign'; readonly id: string }
  /** The file is in nobody's address. */
  | { readonly view: 'recording' }
  | { readonly view: 'unknown'; readonly path: string };

/** `address` begins with a slash and may have a query. */
export function parseRoute(address: string): Route {
  const url = new URL(address, 'http://page');
  const parts = url.pathname.split('/').filter(Boolean).map(decoded);
  const unknown: Route = { view: 'unknown', path: url.pathname };
  const [head, name, sub, actor] = parts;
  if (head === undefined) return { view: 'home' };
  switch (head) {
    case 'join':
      return name !== undefined && parts.length === 2 ? { view: 'join', code: name } : unknown;
    case 'lab': {
      if (name === undefined || parts.length > 4) return unknown;
      if (sub === undefined) {
        return {
          view: 'lab',
          lab: name,
          event: numberIn(url, 'event') ?? 'live',
          hand: url.searchParams.get('hand') === 'off' ? 'off' : 'on',
        };
      }
      if ((sub === 'stage' || sub === 'console') && actor === undefined) {
        return { view: sub, lab: name };
      }
      if (actor === undefined || (sub !== 'device' && sub !== 'cpu')) return unknown;
      return { view: sub, lab: name, actor };
    }
    case 'break':
      if (parts.length > 2) return unknown;
      return {
        view: 'break',
        level: name ?? '',
        moves: movesIn(url),
        room: url.searchParams.get('room') ?? '',
      };
    case 'step':
      if (parts.length > 2) return unknown;
      return { view: 'step', level: name ?? '', moves: movesIn(url), at: numberIn(url, 'at') ?? 0 };
    case 'explore':
      return parts.length === 1 ? { view: 'explore', question: questionIn(url) } : unknown;
    case 'matrix':
      return parts.length === 1 ? { view: 'matrix' } : unknown;
    case 'campaigns':
      if (parts.length > 2) return unknown;
      return name === undefined ? { view: 'campaigns' } : { view: 'campaign', id: name };
    case 'recording':
      return parts.length === 1 ? { view: 'recording' } : unknown;
    case 'run':
      if (name === undefined || parts.length > 2) return unknown;
      return {
        view: 'run',
        id: name,
        question: questionIn(url),
        event: numberIn(url, 'event') ?? 'end',
      };
    default:
      return unknown;
  }
}

/** The inverse of parseRoute(). */
export function addressOfRoute(route: Route): string {
  switch (route.view) {
    case 'home':
      return '/';
    case 'join':
      return `/join/${encodeURIComponent(route.code)}`;
    case 'lab': {
      const query = new URLSearchParams();
      if (route.hand === 'off') query.set('hand', 'off');
      if (route.event !== 'live') query.set('event', String(route.event));
      const text = query.toString();
      return `/lab/${encodeURIComponent(route.lab)}${text === '' ? '' : `?${text}`}`;
    }
    case 'stage':
    case 'console':
      return `/lab/${encodeURIComponent(route.lab)}/${route.view}`;
    case 'break': {
      const query = new URLSearchParams();
      if (route.moves !== '') query.set('moves', route.moves);
      if (route.room !== '') query.set('room', route.room);
      const text = query.toString();
      const level = route.level === '' ? '' : `/${encodeURIComponent(route.level)}`;
      return `/break${level}${text === '' ? '' : `?${text}`}`;
    }
    case 'step': {
      const query = new URLSearchParams();
      if (route.moves !== '') query.set('moves', route.moves);
      if (route.at > 0) query.set('at', String(route.at));
      const text = query.toString();
      const level = route.level === '' ? '' : `/${encodeURIComponent(route.level)}`;
      return `/step${level}${text === '' ? '' : `?${text}`}`;
    }
    case 'device':
    case 'cpu':
      return `/lab/${encodeURIComponent(route.lab)}/${route.view}/${encodeURIComponent(route.actor)}`;
    case 'explore':
      return `/explore${queryOf(route.question, 'end')}`;
    case 'run':
      return `/run/${encodeURIComponent(route.id)}${queryOf(route.question, route.event)}`;
    case 'matrix':
      return '/matrix';
    case 'campaigns':
      return '/campaigns';
    case 'campaign':
      return `/campaigns/${encodeURIComponent(route.id)}`;
    case 'recording':
      return '/recording';
    case 'unknown':
      return route.path;
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function movesIn({ searchParams }: URL): string {
  return searchParams.get('moves')?.replace(/[^a-z]/g, '') ?? '';
}

function numberIn(url: URL, name: string): number | undefined {
  const text = url.searchParams.get(name) ?? '';
  return /^\d{1,15}$/.test(text) && Number(text) > 0 ? Number(text) : undefined;
}

const STRATEGIES = ['dpor', 'dfs', 'random', 'pct', 'urw'] as const;

function questionIn({ searchParams }: URL): NewRun | 'none' {
  const scenario = searchParams.get('scenario');
  // Of a user's own scenario or patch the address has no more than the name.
  if (scenario === null || scenario === '' || searchParams.has('own')) return 'none';
  const parameters: { [name: string]: number } = {};
  for (const [name, value] of searchParams) {
    if (name.startsWith('p.') && /^\d{1,2}$/.test(value)) parameters[name.slice(2)] = Number(value);
  }
  const patch = searchParams.get('patch');
  const kernel = KERNEL_IDS.find((known) => known === searchParams.get('kernel'));
  const drivers = searchParams.getAll('driver');
  const strategy = STRATEGIES.find((known) => known === searchParams.get('strategy'));
  const seed = searchParams.get('seed');
  const preemptions = searchParams.get('preemptions');
  return {
    scenario,
    ...(kernel === undefined ? {} : { kernel }),
    ...(patch === null || patch === '' ? {} : { patch }),
    ...(drivers.length === 0 ? {} : { driver: drivers }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
    ...(seed !== null && /^\d{1,10}$/.test(seed) ? { seed: Number(seed) } : {}),
    ...(preemptions !== null && /^\d{1,2}$/.test(preemptions)
      ? { preemptions: Number(preemptions) }
      : {}),
    ...amount('budgetSeconds', searchParams.get('seconds')),
    ...amount('budgetExecutions', searchParams.get('executions')),
  };
}

function amount<Field extends string>(
  field: Field,
  text: string | null,
): { readonly [Name in Field]?: number } {
  if (text === null || !/^\d{1,8}$/.test(text) || Number(text) === 0) return {};
  return { [field]: Number(text) } as { readonly [Name in Field]: number };
}

function queryOf(question: NewRun | 'none', event: number | 'end'): string {
  const query = new URLSearchParams();
  if (question !== 'none') {
    query.set('scenario', question.scenario);
    if (question.text !== undefined || question.code !== undefined) query.set('own', 'yes');
    if (question.kernel !== undefined) query.set('kernel', question.kernel);
    if (question.patch !== undefined) query.set('patch', question.patch);
    for (const driver of question.driver ?? []) query.append('driver', driver);
    if (question.strategy !== undefined) query.set('strategy', question.strategy);
    if (question.seed !== undefined) query.set('seed', String(question.seed));
    if (question.budgetSeconds !== undefined) query.set('seconds', String(question.budgetSeconds));
    if (question.budgetExecutions !== undefined)
      query.set('executions', String(question.budgetExecutions));
    if (question.preemptions !== undefined) query.set('preemptions', String(question.preemptions));
    for (const [name, value] of Object.entries(question.parameters ?? {})) {
      query.set(`p.${name}`, String(value));
    }
  }
  if (event !== 'end') query.set('event', String(event));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
