/** Which of the things that a lab may throw are the disk's fault and no bug. */

/** What a call to the system about a file has thrown: ENOSPC, EMFILE, EROFS, ... */
export function isStorageFailure(thrown: unknown): boolean {
  return thrown instanceof Error && 'syscall' in thrown && 'errno' in thrown;
}
