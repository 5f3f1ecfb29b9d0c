/** Errno names as Linux spells them, with the x86-64 numbers (include/uapi/asm-generic/errno-base.h, errno.h). */
export const ERRNO_NUMBER = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  EDEADLK: 35,
  EOVERFLOW: 75,
  EPROTO: 71,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ESTALE: 116,
} as const;

export type Errno = keyof typeof ERRNO_NUMBER;

export interface Failure {
  readonly ok: false;
  readonly errno: Errno;
  /** Of a list that was given: the index of the entry that it is about. */
  readonly at?: number;
}
export type Result<T> = { readonly ok: true; readonly value: T } | Failure;

export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

export const OK: Result<void> = { ok: true, value: undefined };

const FAILURES = new Map<Errno, Failure>(
  (Object.keys(ERRNO_NUMBER) as Errno[]).map((errno) => [errno, { ok: false, errno }]),
);

/** An errno as a value. One frozen object per errno: failing is not slower than succeeding. */
export function fail(errno: Errno): Failure {
  return FAILURES.get(errno) ?? { ok: false, errno };
}
