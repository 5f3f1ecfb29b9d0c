/** The lines of earlier prompts, in the state folder of the user (XDG base directories), newest last. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import type { PromptRole } from './verb.ts';

/** Lines that are kept. */
export const HISTORY_LINES_MAX = 1_000;
/** Of a longer line nothing is kept. */
const LINE_CHARS_MAX = 1_000;

interface Environment {
  readonly [variable: string]: string | undefined;
}

/** `~/.local/state/mmrace`, or what XDG_STATE_HOME says; a relative path there counts for nothing. */
export function stateFolder(environment: Environment): string {
  const base = environment.XDG_STATE_HOME ?? '';
  return join(isAbsolute(base) ? base : join(homedir(), '.local', 'state'), 'mmrace');
}

export function historyPath(environment: Environment, role: PromptRole): string {
  return join(stateFolder(environment), `${role}.history`);
}

/** Oldest first. Nothing if the file cannot be read. */
export function readHistory(path: string): string[] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.filter(isKept).slice(-HISTORY_LINES_MAX);
  } catch {
    return [];
  }
}

/** `lines` oldest first. Returns why the file could not be written, or 'written'. */
export function writeHistory(path: string, lines: readonly string[]): 'written' | string {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const kept = lines.filter(isKept).slice(-HISTORY_LINES_MAX);
    writeFileSync(path, kept.map((line) => `${line}\n`).join(''), { mode: 0o600 });
    return 'written';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function isKept(line: string): boolean {
  return line.trim() !== '' && line.length <= LINE_CHARS_MAX && !/[\r\n]/.test(line);
}
