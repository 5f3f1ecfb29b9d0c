/** Oracle 3: a read returns what was last written at that address, whoever wrote it. */
import type { Event } from '../../abi/event.ts';
import { hexAddress, type PageIndex } from '../../vocabulary/address.ts';
import { MIRRORED_MM } from './excuses.ts';
import { accessStanding } from './mirror-coherence.ts';
import type { Oracle, Watched } from './oracle.ts';
import { checkRegister, followEvent, loosenRegister } from './registers.ts';

export const values: Oracle = {
  id: 'OR3',
  name: 'values',
  asked: 'always',
  watch: (watched) => ({
    see(event) {
      if (event.kind === 'cpu-access') checkValue(watched, event, event.mm);
      else if (event.kind === 'device-access') checkDeviceAccess(watched, event);
      else followEvent(watched.registers, event);
    },
  }),
};

function checkDeviceAccess(
  watched: Watched,
  event: Extract<Event, { kind: 'device-access' }>,
): void {
  const standing = accessStanding(watched, event);
  if (standing === 'copying') return;
  if (standing !== 'in motion') checkValue(watched, event, MIRRORED_MM);
  else loosenRegister(watched.registers, MIRRORED_MM, event.page as PageIndex, event);
}

function checkValue(
  watched: Watched,
  event: Extract<Event, { kind: 'device-access' | 'cpu-access' }>,
  mm: number,
): void {
  const page = event.page as PageIndex;
  const { mode, value } = event;
  const device = event.kind === 'device-access' ? event.device : '';
  const by = device === '' ? 'cpu' : 'device';
  const expected = checkRegister(watched.registers, mm, page, { mode, value, by });
  if (expected === 'as expected') return;
  const reader = device === '' ? event.actor : device;
  const text = `${reader} read ${value} at ${hexAddress(page)}, where ${expected} was written last`;
  watched.report({ text, device, page });
}
