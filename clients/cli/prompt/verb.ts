/**
 * What a verb of the prompt is, as data: help, completion, the check of a line and the documents all come from it.
 */
import type { VerbParams, VerbResult } from '../../sdk/conductor.ts';
import type { Values } from './values.ts';

export type PromptRole = 'device' | 'cpu';

/** What an argument may be. */
export type ArgumentKind =
  /** A page. */
  | 'page'
  /** A place of eight bytes. */
  | 'word'
  /** How many: of pages, of events. At least one. */
  | 'count'
  /** A running number: at least zero. */
  | 'id'
  | 'u64'
  | 'choice'
  /** An actor. */
  | 'name'
  /** A kernel function that a hold may stand behind. */
  | 'function'
  | 'verb';

export interface Argument {
  /** As help writes it: `ADDRESS`. */
  readonly name: string;
  readonly kind: ArgumentKind;
  /**
   * 'required'; 'some': one or more, the last ones of the line; otherwise the words that stand in for it when it is
   * left out, or 'none' for an argument that then has no value.
   */
  readonly presence: 'required' | 'some' | { readonly default: string };
  /** What it is, for help. */
  readonly what: string;
  /** Of a 'choice'. */
  readonly choices?: readonly string[];
}

interface VerbBase {
  readonly name: string;
  /** Heading in help. */
  readonly group: string;
  readonly roles: readonly PromptRole[];
  /** What it does, in one line. */
  readonly summary: string;
  readonly arguments: readonly Argument[];
  /** Lines that can be typed. */
  readonly examples: readonly string[];
  /** More to know, in whole sentences. */
  readonly more?: string;
}

/** A verb that the agent performs: what a conductor may ask for as well. */
export interface AskedVerb extends VerbBase {
  readonly does: 'ask';
  readonly params: (values: Values) => VerbParams;
  /** The answer in words. Only called for one that went well. */
  readonly answer: (result: VerbResult, values: Values) => string;
  /** What an errno means for this verb, where the general sentence does not say it. */
  readonly errors?: { readonly [errno: string]: string };
}

/** A verb of the prompt itself: prompt-session.ts does it. */
export interface OwnVerb extends VerbBase {
  readonly does: OwnDeed;
}

export type OwnDeed =
  | 'hold'
  | 'go'
  | 'page-table'
  | 'maps'
  | 'log'
  | 'who'
  | 'ping'
  | 'use'
  | 'wait'
  | 'undo'
  | 'help'
  | 'quit';

export type PromptVerb = AskedVerb | OwnVerb;

/** `read [ADDRESS [PAGES]]` */
export function usageOf(verb: PromptVerb): string {
  return [verb.name, ...verb.arguments.map(argumentUsage)].join(' ');
}

function argumentUsage({ name, presence }: Argument): string {
  if (presence === 'required') return name;
  return presence === 'some' ? `${name}...` : `[${name}]`;
}
