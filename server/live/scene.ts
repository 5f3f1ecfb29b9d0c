/** What a lab begins with beside an empty machine: plain data, worked out from a scenario when the lab is opened. */
import type { Inbound } from '../machine/remote/inbound.ts';
import type { LabSeat } from '../protocol/http-api.ts';
import type { LabSheet } from '../protocol/run-sheet.ts';

export interface Scene {
  /** 'none' for a lab that begins empty. */
  readonly scenario: string | 'none';
  /** Taken by each machine of the lab before anything else, and recorded with the rest. */
  readonly setup: readonly Inbound[];
  /** Actors that the scenario has a place for. */
  readonly seats: readonly Omit<LabSeat, 'taken'>[];
  /** What is left of the scenario's setup for those who join, in words. */
  readonly todo: readonly string[];
  /** How a room plays it, if the scenario says. */
  readonly sheet?: LabSheet;
  /** The page that the sheet is about. */
  readonly page?: number;
  /** Milliseconds, where they are not the server's. See protocol/limits.ts. */
  readonly leaseMs?: number;
  readonly graceMs?: number;
}

export const EMPTY_SCENE: Scene = { scenario: 'none', setup: [], seats: [], todo: [] };
