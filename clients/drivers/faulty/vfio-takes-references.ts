import type { DriverVariant } from '../interface/driver-variant.ts';
import { vfioWith } from '../vfio/vfio.ts';

/** fork() shares a page that is only referenced, and the next write of the process goes to a copy. */
export const vfioTakesReferences: DriverVariant = {
  id: 'vfio-takes-references',
  provenance:
    'drivers/vfio/vfio_iommu_type1.c until 5.5; "vfio, mm: pin_user_pages (FOLL_PIN) and put_user_page() conversion" ' +
    '(Linux 5.6), for what 57efa1fe5957 and 70e806e4e645 made of pins',
  summary: 'takes references on the pages of its device where it should pin them',
  newDevice: (options) => vfioWith(options, 'get'),
};
