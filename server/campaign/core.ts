/** What units are asked about: the same for many of them, and stored once, under its hash. */
import type { AskedChoice } from '../scenario/explore-request.ts';
import type { Scenario } from '../scenario/scenario-schema.ts';
import type { CodeBundle } from './code-bundle.ts';
import { hashOf } from './unit.ts';

export interface ScenarioCore {
  readonly kind: 'scenario';
  readonly scenario: Scenario;
  readonly choice: AskedChoice;
  readonly code: CodeBundle;
}

/** Of shapes: kernels alone. */
export interface CatalogueCore {
  readonly kind: 'catalogue';
  readonly before: AskedChoice;
  readonly after: AskedChoice;
  readonly changed: readonly string[] | 'all';
  readonly code: CodeBundle;
}

export type Core = ScenarioCore | CatalogueCore;

export function coreId(core: Core): string {
  return hashOf(core);
}

export function hasOwnCode({ code }: Core): boolean {
  return Object.keys(code.files).length > 0;
}
