/** A look at a server before a command joins it: is one there, is it ours, does it have the lab? */
import { suggestion } from '../../server/lab/scenario/nearest-word.ts';
import { SUBPROTOCOL } from '../../server/protocol/limits.ts';
import { UsageError } from './failure.ts';

/** Milliseconds for one answer. */
const ANSWER_MS = 5_000;

export interface ServerVersion {
  readonly protocol: string;
  readonly version: string;
  readonly modelHash: string;
}

/** What answers at an address. */
export type Reached =
  | { readonly kind: 'mmrace'; readonly server: ServerVersion }
  | { readonly kind: 'other-protocol'; readonly server: ServerVersion }
  | { readonly kind: 'not-mmrace' }
  | { readonly kind: 'nobody'; readonly why: string };

/** `http://127.0.0.1:7070` for `ws://127.0.0.1:7070/ws`. Throws: UsageError. */
export function httpUrlOf(webSocketUrl: string): string {
  if (!URL.canParse(webSocketUrl)) throw new UsageError(badUrl(webSocketUrl));
  const url = new URL(webSocketUrl);
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') throw new UsageError(badUrl(webSocketUrl));
  return `${url.protocol === 'wss:' ? 'https' : 'http'}://${url.host}`;
}

function badUrl(found: string): string {
  return `--url: expected an address such as ws://127.0.0.1:7070/ws, found ${found}`;
}

/** Asks GET /version. Never rejects. */
export async function reach(webSocketUrl: string): Promise<Reached> {
  const answer = await ask(`${httpUrlOf(webSocketUrl)}/version`);
  if (answer.kind === 'nobody') return answer;
  const { name, protocol, model } = (answer.body ?? {}) as {
    readonly name?: unknown;
    readonly protocol?: unknown;
    readonly model?: { readonly hash?: unknown; readonly version?: unknown };
  };
  if (name !== 'mmrace' || typeof protocol !== 'string') return { kind: 'not-mmrace' };
  const version = String(model?.version ?? 'unknown');
  const server = { protocol, version, modelHash: String(model?.hash ?? '') };
  return { kind: protocol === SUBPROTOCOL ? 'mmrace' : 'other-protocol', server };
}

/** Why a command cannot use what answers there, and what to do; 'none' if it can. */
export function reachProblem(url: string, reached: Reached): string | 'none' {
  switch (reached.kind) {
    case 'mmrace':
      return 'none';
    case 'other-protocol': {
      const { protocol, version } = reached.server;
      return (
        `the server at ${url} speaks ${protocol} and this command ${SUBPROTOCOL}: ` +
        `use the mmrace of the server's version, ${version}`
      );
    }
    case 'not-mmrace':
      return `what answers at ${url} is not mmrace: say where the server is with --url or MMRACE_URL`;
    case 'nobody':
      return (
        `no server answers at ${url}: start one with npx mmrace serve, ` +
        'or say where it is with --url or MMRACE_URL'
      );
  }
}

export interface LabChoice {
  readonly url: string;
  /** A lab's name, or its join code. */
  readonly lab: string;
  /** A name that no lab has: is it opened, or a mistake? */
  readonly unknown: 'opened' | 'refused';
}

/** The name of the lab that is meant. Throws: UsageError if there is no server to use, or no such lab. */
export async function findLab({ url, lab, unknown }: LabChoice): Promise<string> {
  const problem = reachProblem(url, await reach(url));
  if (problem !== 'none') throw new UsageError(problem);
  const labs = await labsAt(url);
  const found =
    labs.find(({ name }) => name === lab) ??
    labs.find(({ code }) => code.toLowerCase() === lab.toLowerCase());
  if (found !== undefined) return found.name;
  if (unknown === 'opened') return lab;
  const names = labs.map(({ name }) => name);
  throw new UsageError(
    `there is no lab, and no join code, "${lab}" at ${url}${suggestion(lab, names)}: ` +
      `${names.length === 0 ? 'no lab is open' : `open are ${names.join(', ')}`}; --new opens a lab of that name`,
  );
}

interface LabSeen {
  readonly name: string;
  /** Empty if the server has none. */
  readonly code: string;
}

async function labsAt(url: string): Promise<readonly LabSeen[]> {
  const answer = await ask(`${httpUrlOf(url)}/api/labs`);
  const listed = answer.kind === 'answer' && answer.status === 200 ? answer : 'none';
  const { body } = listed === 'none' ? await oldList(url) : listed;
  const { labs } = (body ?? {}) as { readonly labs?: readonly Partial<LabSeen>[] };
  return (labs ?? []).map(({ name = '', code = '' }) => ({ name, code }));
}

async function oldList(url: string): Promise<{ readonly body: unknown }> {
  const answer = await ask(`${httpUrlOf(url)}/labs`);
  return answer.kind === 'answer' ? answer : { body: undefined };
}

type Asked =
  | { readonly kind: 'answer'; readonly status: number; readonly body: unknown }
  | { readonly kind: 'nobody'; readonly why: string };

async function ask(url: string): Promise<Asked> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    const text = await response.text();
    return { kind: 'answer', status: response.status, body: jsonOf(text) };
  } catch (error) {
    return { kind: 'nobody', why: causeOf(error) };
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** fetch() wraps what went wrong. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
