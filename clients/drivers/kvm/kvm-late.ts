import type { Task } from '../../../server/task/task.ts';
import { OK, type Result } from '../../../server/vocabulary/errno.ts';
import type { DmirrorResult, DmirrorVerb } from '../dmirror/dmirror-verb.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';
import { deviceOfKvm, KVM_FUNCTIONS, openKvm, performKvmVerb } from './kvm-device.ts';
import { type Kvm, newKvm } from './kvm-state.ts';

/** A process that makes its guest when it needs one: the address space is in use by then. */
export const kvmLate: DriverVariant = {
  id: 'kvm-late',
  provenance: 'virt/kvm/kvm_main.c, kvm_create_vm(), Linux 6.12',
  summary: 'kvm, but the guest is made, and its notifier registered, with the first verb',
  notifiers: 'classic',
  newDevice(options) {
    const kvm = newKvm(options, KVM_FUNCTIONS);
    return {
      ...deviceOfKvm(kvm),
      open: notYet,
      perform: (verb) => performOpened(kvm, verb),
    };
  },
};

function* notYet(): Task<Result<void>> {
  return OK;
}

function* performOpened(kvm: Kvm, verb: DmirrorVerb): Task<DmirrorResult> {
  if (kvm.notifier === 'closed' && kvm.life === 'alive') {
    const opened = yield* openKvm(kvm);
    if (!opened.ok) return { errno: opened.errno };
  }
  return yield* performKvmVerb(kvm, verb);
}
