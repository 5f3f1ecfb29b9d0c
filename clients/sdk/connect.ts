/**
 * The way in. A few lines make a device:
 *
 *   const device = await connect({
 *     role: 'device', url: 'ws://127.0.0.1:7070/ws', lab: 'demo', name: 'gpu0',
 *     device: ({ api, context }) => myDriver(api, context),
 *   });
 *   const values = await device.run('read', readThreePages(device.api));
 *   device.close();
 *
 * A driver is written as generators over DeviceApi (server/abi/device-api.ts) and runs unchanged beside the
 * simulated kernel itself.
 */
import { assertNever } from '../../server/vocabulary/invariant.ts';
import { CpuClient, type CpuClientOptions } from './cpu-client.ts';
import { DeviceClient, type DeviceClientOptions } from './device-client.ts';
import { ObserverClient, type ObserverClientOptions } from './observer-client.ts';

export type ConnectOptions =
  | ({ readonly role: 'device' } & DeviceClientOptions)
  | ({ readonly role: 'cpu' } & CpuClientOptions)
  | ({ readonly role: 'observer' } & ObserverClientOptions);

/**
 * Joins a lab as a device, a CPU thread or an observer, and waits until the server has accepted.
 *
 * Rejects with SessionClosed if there is no connection within `connectMs` (milliseconds) or the server refuses:
 * its `closed` says why. A connection that is lost later comes back by itself, also to a server that was
 * killed and started again; see OnLoss. `client.connection.closed` resolves when it is over for good.
 */
export function connect(
  options: { readonly role: 'device' } & DeviceClientOptions,
): Promise<DeviceClient>;
export function connect(options: { readonly role: 'cpu' } & CpuClientOptions): Promise<CpuClient>;
export function connect(
  options: { readonly role: 'observer' } & ObserverClientOptions,
): Promise<ObserverClient>;
export async function connect(
  options: ConnectOptions,
): Promise<DeviceClient | CpuClient | ObserverClient> {
  const client = clientOf(options);
  await client.connection.greeted;
  return client;
}

function clientOf(options: ConnectOptions): DeviceClient | CpuClient | ObserverClient {
  switch (options.role) {
    case 'device':
      return new DeviceClient(options);
    case 'cpu':
      return new CpuClient(options);
    case 'observer':
      return new ObserverClient(options);
    default:
      return assertNever(options);
  }
}
