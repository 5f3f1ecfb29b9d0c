/** No level asks about the contract of drivers (OR6): the machine in the page has this instead of its witnesses. */
import type * as Watched from '../../../server/machine/oracles/contract/watched-device.ts';

function notAsked(): never {
  throw new Error('no level asks about the contract of drivers');
}

export const checkAtRest: typeof Watched.checkAtRest = notAsked;
export const forgetReported: typeof Watched.forgetReported = notAsked;
export const unwatchDevice: typeof Watched.unwatchDevice = notAsked;
export const watchContract: typeof Watched.watchContract = notAsked;
export const watchDevice: typeof Watched.watchDevice = notAsked;
