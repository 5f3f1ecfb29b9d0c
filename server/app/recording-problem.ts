import { access, constants, statfs } from 'node:fs/promises';

/** Why nothing can be recorded into `directory` at this moment; 'none' if it can, or if no recording is wanted. */
export async function recordingProblem(directory: string | 'nowhere'): Promise<string> {
  if (directory === 'nowhere') return 'none';
  try {
    await access(directory, constants.W_OK | constants.X_OK);
    const { bavail } = await statfs(directory);
    return bavail > 0 ? 'none' : `ENOSPC: no space left, '${directory}'`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
