import { fileURLToPath } from 'node:url';
import { modelOf } from '../../../server/app/start-server.ts';

/** The hash of the model that a server of this installation would run. */
export function ownModelHash(): string {
  return modelOf(fileURLToPath(new URL('../../../server', import.meta.url))).hash;
}
