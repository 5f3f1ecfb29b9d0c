import { dmirrorWith } from '../dmirror/dmirror-variant.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** Race 16: the fault's own lock and reference make its page look as if somebody else used it, so it never moves. */
export const omitsFaultPage: DriverVariant = {
  id: 'omits-fault-page',
  provenance:
    'nouveau until 97061d441110 "nouveau: fix migrate_to_ram() for faulting page" (6.1-rc), after 16ce101db85d',
  summary: 'does not say in migrate_to_ram() which page is being faulted on',
  newDevice: (options) => {
    const { api } = options;
    const migrateVmaSetup: typeof api.migrateVmaSetup = (request) =>
      api.migrateVmaSetup({ ...request, faultPage: 'none' });
    return dmirrorWith({ ...options, api: { ...api, migrateVmaSetup } }, {}, 'nothing');
  },
};
