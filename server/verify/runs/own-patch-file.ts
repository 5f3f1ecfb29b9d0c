/** A patch that came as text, as a file for as long as a run takes: user code is loaded from files alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NewRun } from '../../protocol/http-api.ts';

/** What it is called in a question and in what is said of it. */
export const OWN_PATCH = 'mine';
const FILE = `${OWN_PATCH}.mts`;

export interface OwnPatchFile {
  readonly path: string;
  remove(): void;
}

/** Throws what the file system throws. */
export function writeOwnPatch(code: NonNullable<NewRun['code']>): OwnPatchFile {
  const folder = mkdtempSync(join(tmpdir(), 'mmrace-patch-'));
  const path = join(folder, FILE);
  writeFileSync(path, code);
  return {
    path,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Whoever wrote it in a page knows no path. */
export function withoutPath(text: string, { path }: OwnPatchFile): string {
  return text.replaceAll(path, FILE);
}
