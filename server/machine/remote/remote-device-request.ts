/** A device client's request, and the ways in which it can be wrong that no schema can see. */

import {
  DEVICE_REQUESTS,
  type DeviceMethod,
  type DeviceParams,
} from '../../protocol/device-requests.ts';
import { kernelRefusal, type Refusal, refuse } from '../../protocol/refusal.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import type { Failure } from '../../vocabulary/errno.ts';

/** A method of DEVICE_REQUESTS with its own params, as the gateway has checked them. */
export type DeviceRequest = {
  readonly [Method in DeviceMethod]: {
    readonly method: Method;
    readonly params: DeviceParams[Method];
  };
}[DeviceMethod];

/**
 * Removes `frames` from `pool`, all or none. Returns: 'none', or the place of the first that is not there (or is
 * there twice in `frames`).
 */
export function takeFrames(pool: Set<Pfn>, frames: readonly Pfn[]): number | 'none' {
  for (const [at, frame] of frames.entries()) {
    if (pool.delete(frame)) continue;
    for (const taken of frames.slice(0, at)) pool.add(taken);
    return at;
  }
  return 'none';
}

export function failed(method: DeviceMethod, failure: Failure): Refusal {
  return kernelRefusal(failure.errno, DEVICE_REQUESTS[method].subject);
}

export function notYours(path: string): Refusal {
  return refuse('not-your-frame', path, 'a frame that was handed to you for this, once');
}

export function wrongCount(path: string, entries: number): Refusal {
  return refuse('wrong-page-count', path, `${entries} entries`);
}

export function isFrameInUse(path: string): Refusal {
  return refuse('in-use', path, 'something that no request of yours uses at the moment');
}
