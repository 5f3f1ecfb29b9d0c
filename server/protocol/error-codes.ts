/**
 * Every way in which a request can fail, as a word. Codes are forever: a retired one stays here and says so.
 * `definite`: the request has not happened and never will, so asking again is safe. Indefinite: it may have.
 */
import type { Errno } from '../vocabulary/errno.ts';

export interface ErrorCode {
  /** The `code` of the JSON-RPC error object. */
  readonly jsonrpc: number;
  readonly errno: Errno;
  readonly definite: boolean;
  readonly meaning: string;
  readonly remedy: string;
}

/** Of the frame and the session: found before anything reaches the kernel. */
const EDGE_CODES = {
  'bad-frame': {
    jsonrpc: -32700,
    errno: 'EPROTO',
    definite: true,
    meaning: 'The frame is not one JSON object, or its binary layout is wrong.',
    remedy:
      'Send one JSON object a text frame; pages as a binary frame. Before a hello the connection is closed.',
  },
  'bad-envelope': {
    jsonrpc: -32600,
    errno: 'EPROTO',
    definite: true,
    meaning: 'The frame is not a JSON-RPC 2.0 request, notification or answer with a seq.',
    remedy: 'Send {"jsonrpc":"2.0","seq":N,"id":I,"method":M,"params":{...}}.',
  },
  'unknown-method': {
    jsonrpc: -32601,
    errno: 'EINVAL',
    definite: true,
    meaning: 'There is no method of this name.',
    remedy: 'Use a method that the protocol document lists for your role.',
  },
  'bad-params': {
    jsonrpc: -32602,
    errno: 'EINVAL',
    definite: true,
    meaning: 'The params do not fit the schema of the method.',
    remedy: 'Correct what `path` names so that it meets `bound`.',
  },
  'wrong-role': {
    jsonrpc: -32001,
    errno: 'EPERM',
    definite: true,
    meaning: 'The method exists, but not for your role.',
    remedy: 'Connect with the role that has the method.',
  },
  'hello-first': {
    jsonrpc: -32002,
    errno: 'ENOTCONN',
    definite: true,
    meaning: 'The first request must be a hello.',
    remedy: 'Send a hello and wait for its answer.',
  },
  'hello-twice': {
    jsonrpc: -32003,
    errno: 'EEXIST',
    definite: true,
    meaning: 'This connection has already said hello.',
    remedy: 'Open another connection for another actor.',
  },
  'no-such-question': {
    jsonrpc: -32004,
    errno: 'ENOENT',
    definite: true,
    meaning: 'An answer to a question that was never asked of you.',
    remedy: 'Answer with the id of the question; nothing was changed.',
  },
  'answered-twice': {
    jsonrpc: -32005,
    errno: 'EEXIST',
    definite: true,
    meaning: 'The question was already answered; the first answer counts.',
    remedy: 'Answer each question once; nothing was changed.',
  },
  'bad-answer': {
    jsonrpc: -32006,
    errno: 'EINVAL',
    definite: true,
    meaning: 'The answer does not fit the schema of the question, which is still open.',
    remedy: 'Answer again, correctly, before the lease runs out.',
  },
  'id-in-use': {
    jsonrpc: -32007,
    errno: 'EEXIST',
    definite: true,
    meaning: 'A request of yours with this id has no answer yet.',
    remedy: 'Use an id that no open request of yours has.',
  },
  'too-many-requests': {
    jsonrpc: -32008,
    errno: 'EAGAIN',
    definite: true,
    meaning: 'REQUESTS_IN_FLIGHT_MAX requests of yours have no answer yet.',
    remedy: 'Wait for an answer, then ask again.',
  },
  'name-taken': {
    jsonrpc: -32009,
    errno: 'EEXIST',
    definite: true,
    meaning: 'The lab has an actor of this name.',
    remedy: 'Choose another name, or resume with the token if it is yours.',
  },
  'no-such-lab': {
    jsonrpc: -32010,
    errno: 'ENOENT',
    definite: true,
    meaning: 'This server has no lab of this name or join code.',
    remedy: 'GET /api/labs lists them.',
  },
  moved: {
    jsonrpc: -32032,
    errno: 'EAGAIN',
    definite: true,
    meaning: 'Another server has the lab.',
    remedy: 'Say the same hello, resume included, to the server at `address`.',
  },
  stalled: {
    jsonrpc: -32033,
    errno: 'EAGAIN',
    definite: true,
    meaning: 'What the server records cannot be written at this moment, so its labs stand still.',
    remedy: 'Connect again in a second; its owner finds the reason at /readyz.',
  },
  restoring: {
    jsonrpc: -32018,
    errno: 'EAGAIN',
    definite: true,
    meaning: 'The lab is being led to where an earlier server left it.',
    remedy: 'Say the same hello again in a second.',
  },
  'lab-damaged': {
    jsonrpc: -32019,
    errno: 'EIO',
    definite: true,
    meaning:
      'What the lab was cannot be restored here; it can be observed, and deleted by its presenter.',
    remedy: 'Join another lab. GET /api/labs and /readyz say what is wrong with this one.',
  },
  'too-many-labs': {
    jsonrpc: -32016,
    errno: 'ENOMEM',
    definite: true,
    meaning: 'The server has LABS_MAX labs.',
    remedy: 'Use one of those that GET /api/labs lists.',
  },
  'lab-full': {
    jsonrpc: -32011,
    errno: 'ENOMEM',
    definite: true,
    meaning: 'The lab has ACTORS_MAX actors.',
    remedy: 'Wait for one to leave, or use another lab.',
  },
  'bad-resume': {
    jsonrpc: -32012,
    errno: 'EPERM',
    definite: true,
    meaning: 'No session of this name, token and epoch can be resumed.',
    remedy: 'Say a fresh hello; what the old session held is gone after graceMs.',
  },
  'resume-too-old': {
    jsonrpc: -32013,
    errno: 'ESTALE',
    definite: true,
    meaning: 'Frames after `since` are no longer kept, so the session cannot be made whole.',
    remedy: 'Say a fresh hello. Send ack notifications so that less has to be kept.',
  },
  'lab-reset': {
    jsonrpc: -32015,
    errno: 'ESTALE',
    definite: true,
    meaning: 'The lab began anew with another machine; nothing of the request is left.',
    remedy: 'Answer the reset question, then begin again.',
  },
  going: {
    jsonrpc: -32014,
    errno: 'EAGAIN',
    definite: true,
    meaning: 'The server is ending and takes no new work.',
    remedy: 'Connect again in a few seconds.',
  },
  'under-pressure': {
    jsonrpc: -32030,
    errno: 'EAGAIN',
    definite: true,
    meaning: 'The server has more to do than it can keep up with, or too little memory left.',
    remedy: 'Say hello again in a few seconds.',
  },
  'insufficient-storage': {
    jsonrpc: -32017,
    errno: 'ENOSPC',
    definite: true,
    meaning: 'The server could not write the recording that the lab needs.',
    remedy: 'Tell the owner of the server to look at its disk; use a lab that is open.',
  },
  internal: {
    jsonrpc: -32603,
    errno: 'EIO',
    definite: false,
    meaning: 'The server found a bug of its own; its log has it.',
    remedy: 'Ask for the state before you go on; report it.',
  },
} as const satisfies Record<string, ErrorCode>;

/** Of a device's or a CPU's use of the kernel, found before the kernel function is called. */
const USE_CODES = {
  'no-such-subscription': {
    jsonrpc: -32020,
    errno: 'ENOENT',
    definite: true,
    meaning: 'You have no interval notifier of this number.',
    remedy: 'Insert one; use the number it answers.',
  },
  'outside-subscription': {
    jsonrpc: -32021,
    errno: 'EINVAL',
    definite: true,
    meaning: 'The range leaves the range of the subscription, so its sequence does not guard it.',
    remedy: 'Ask for pages of the subscription only.',
  },
  'no-such-migration': {
    jsonrpc: -32022,
    errno: 'ENOENT',
    definite: true,
    meaning: 'You have no open migration of this number, or not of this kind.',
    remedy: 'Use the number that setup answered; finalize it once.',
  },
  'wrong-page-count': {
    jsonrpc: -32023,
    errno: 'EINVAL',
    definite: true,
    meaning: 'An array or the page contents do not have one entry a page.',
    remedy: 'Send as many entries as `bound` says.',
  },
  'lock-not-held': {
    jsonrpc: -32024,
    errno: 'EINVAL',
    definite: true,
    meaning: 'The call needs mmap_lock, which you do not hold.',
    remedy: 'mmap_read_lock first.',
  },
  'lock-held': {
    jsonrpc: -32025,
    errno: 'EDEADLK',
    definite: true,
    meaning: 'You hold mmap_lock; the call would take it again or wait for a task that wants it.',
    remedy: 'mmap_read_unlock first.',
  },
  'no-reference': {
    jsonrpc: -32034,
    errno: 'EINVAL',
    definite: true,
    meaning: 'You hold no reference on the mm that you could give back.',
    remedy: 'mmget_not_zero first, and look whether it was taken.',
  },
  'in-use': {
    jsonrpc: -32028,
    errno: 'EBUSY',
    definite: true,
    meaning: 'Another request of yours that has no answer yet, or an open migration, needs it.',
    remedy: 'Wait for the answer, or finalize the migration, then ask again.',
  },
  'over-limit': {
    jsonrpc: -32029,
    errno: 'ENOSPC',
    definite: true,
    meaning: 'You, or all clients of the lab together, hold as much of it as may be held.',
    remedy:
      'Give something back first. `bound` has the name of the limit: see the table of limits.',
  },
  'not-your-frame': {
    jsonrpc: -32026,
    errno: 'EPERM',
    definite: true,
    meaning: 'The frame is not one that the kernel handed to you for this.',
    remedy: 'Use frames as the calls answered them, each once.',
  },
  fenced: {
    jsonrpc: -32027,
    errno: 'ENOTCONN',
    definite: true,
    meaning: 'You did not answer in time and were fenced.',
    remedy: 'Drop your page table, connect again and insert your notifiers anew.',
  },
} as const satisfies Record<string, ErrorCode>;

/** The answer of a kernel function itself. One word per errno: CODE_OF_ERRNO. */
const KERNEL_CODES = {
  'not-permitted': {
    jsonrpc: -32040,
    errno: 'EPERM',
    definite: true,
    meaning: 'The mapping forbids this access, or a page is not yours.',
    remedy: 'Ask for less, or change the protection first.',
  },
  'not-found': {
    jsonrpc: -32041,
    errno: 'ENOENT',
    definite: true,
    meaning: 'There is no such thing.',
    remedy: 'Look at `path`.',
  },
  'bad-address': {
    jsonrpc: -32042,
    errno: 'EFAULT',
    definite: true,
    meaning: 'A page of the range is not mapped, or not so that it can be faulted.',
    remedy: 'Map it first, or leave it out of the range.',
  },
  'no-such-frame': {
    jsonrpc: -32056,
    errno: 'EFAULT',
    definite: true,
    meaning: 'There is no such frame of system memory: DMA reaches no other.',
    remedy:
      'Use frame numbers as hmm_range_fault gives them; the private ones are in your own memory.',
  },
  'bad-range': {
    jsonrpc: -32043,
    errno: 'EINVAL',
    definite: true,
    meaning: 'The kernel refuses these arguments.',
    remedy: 'Use a range inside one mapping, and arguments as the kernel documents them.',
  },
  'try-again': {
    jsonrpc: -32044,
    errno: 'EBUSY',
    definite: true,
    meaning: 'It collided with an invalidation or another task.',
    remedy: 'Begin again from mmu_interval_read_begin.',
  },
  'come-back': {
    jsonrpc: -32045,
    errno: 'EAGAIN',
    definite: true,
    meaning: 'It would have to wait.',
    remedy: 'Ask again.',
  },
  'out-of-memory': {
    jsonrpc: -32046,
    errno: 'ENOMEM',
    definite: true,
    meaning: 'No frame is free, or a part of the range is not mapped.',
    remedy: 'Free something, or map the range first. A part before the hole may have been changed.',
  },
  exists: {
    jsonrpc: -32047,
    errno: 'EEXIST',
    definite: true,
    meaning: 'Something is already there.',
    remedy: 'Unmap it first, or choose another place.',
  },
  'not-connected': {
    jsonrpc: -32048,
    errno: 'ENOTCONN',
    definite: true,
    meaning: 'The device is fenced: its DMA is refused.',
    remedy: 'Drop your page table, connect again and insert your notifiers anew.',
  },
  'would-deadlock': {
    jsonrpc: -32049,
    errno: 'EDEADLK',
    definite: true,
    meaning: 'The call would wait for itself.',
    remedy: 'Release what you hold first.',
  },
  'kernel-failed': {
    jsonrpc: -32050,
    errno: 'EIO',
    definite: false,
    meaning: 'The kernel function failed with the errno given.',
    remedy: 'Look up the errno for this function.',
  },
} as const satisfies Record<string, ErrorCode>;

export const ERROR_CODES = { ...EDGE_CODES, ...USE_CODES, ...KERNEL_CODES } as const;

export type ErrorCodeName = keyof typeof ERROR_CODES;

/** The word for what a kernel function answered. */
export const CODE_OF_ERRNO = {
  EPERM: 'not-permitted',
  ENOENT: 'not-found',
  EINTR: 'kernel-failed',
  EIO: 'kernel-failed',
  ENXIO: 'not-found',
  EAGAIN: 'come-back',
  ENOMEM: 'out-of-memory',
  EACCES: 'not-permitted',
  EFAULT: 'bad-address',
  EBUSY: 'try-again',
  EEXIST: 'exists',
  ENOSPC: 'kernel-failed',
  ENODEV: 'not-found',
  EINVAL: 'bad-range',
  EDEADLK: 'would-deadlock',
  EOVERFLOW: 'bad-range',
  EPROTO: 'kernel-failed',
  ENOTCONN: 'not-connected',
  ETIMEDOUT: 'kernel-failed',
  ESTALE: 'kernel-failed',
} as const satisfies Record<Errno, ErrorCodeName>;
