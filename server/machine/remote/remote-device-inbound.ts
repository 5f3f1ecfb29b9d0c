/** Everything that reaches a machine from or about one device client, as the task that it starts. */

import type {
  DeviceNotification,
  DeviceNotificationParams,
} from '../../protocol/client-notifications.ts';
import { type Refusal, refuse } from '../../protocol/refusal.ts';
import { wake } from '../../task/context.ts';
import type { Task } from '../../task/task.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import type { PageContents } from '../../vocabulary/page-contents.ts';
import { aboutQuestion, questionWords } from './about-question.ts';
import { mirrorOverLimit } from './held-checks.ts';
import type { FromClient } from './inbound.ts';
import { answerRequest } from './remote-actor.ts';
import { detachDevice, giveBackAll } from './remote-detach.ts';
import {
  cutOff,
  fenceDevice,
  ownsPrivateFrames,
  type RemoteDevice,
  reattachDevice,
} from './remote-device.ts';
import { type DeviceRequest, notYours, wrongCount } from './remote-device-request.ts';
import { serveDevice } from './remote-device-serve.ts';
import { takeDeviceAnswer } from './remote-driver.ts';

/** A task to spawn for the actor. */
export interface Started {
  readonly name: string;
  readonly task: Task<void>;
}

/**
 * Spawn what this returns for `device.actor`; 'nothing' if the event was over in one step. 'attach' here is that
 * of a device that was fenced and came back.
 */
export function acceptForDevice(device: RemoteDevice, inbound: FromClient): Started | 'nothing' {
  switch (inbound.kind) {
    case 'attach':
      if (device.state === 'fenced') reattachDevice(device);
      return 'nothing';
    case 'detach':
      device.departures += 1;
      if (device.state === 'attached') cutOff(device, 'gone');
      else stayAway(device);
      return { name: 'detach', task: detachDevice(device) };
    case 'fence':
      if (device.state !== 'attached') {
        stayAway(device);
        return 'nothing';
      }
      fenceLate(device);
      return { name: 'fence', task: giveBackAll(device) };
    case 'answer':
      if (takeDeviceAnswer(device, inbound.id, inbound.outcome) !== 'fenced') return 'nothing';
      return { name: 'fence', task: giveBackAll(device) };
    case 'request': {
      const request = { method: inbound.method, params: inbound.params } as DeviceRequest;
      const work = serveDevice(device, request, inbound.contents);
      return { name: inbound.method, task: answerRequest(device, inbound.id, work) };
    }
    case 'notify':
      return { name: inbound.method, task: takeNotification(device, inbound) };
  }
}

/** Its oldest question is without an answer, or it held what others waited for. */
function fenceLate(device: RemoteDevice): void {
  const oldest = device.questions
    .all()
    .find(([, one]) => one.kind === 'sent' || one.answer === 'open');
  if (oldest === undefined) {
    const held = 'It held what others waited for (mmap_lock, a page, a migration)';
    fenceDevice(device, `${held}, and was silent for its lease.`);
    return;
  }
  const [id, question] = oldest;
  const why = `It did not answer ${questionWords(question)} within its lease.`;
  fenceDevice(device, why, aboutQuestion(id, question));
}

/** Fenced already; if it was about to return, it does not. */
function stayAway(device: RemoteDevice): void {
  device.state = 'fenced';
  wake(device.context, device.idle);
}

function* takeNotification(
  device: RemoteDevice,
  inbound: Extract<FromClient, { kind: 'notify' }>,
): Task<void> {
  const notification = { method: inbound.method, params: inbound.params } as Notification;
  const refusal = notify(device, notification, inbound.contents);
  if (refusal !== 'none') {
    const params = { method: inbound.method, refusal };
    device.send({ kind: 'tell', actor: device.actor, method: REFUSED, params });
  }
}

/** The name of a `tell` that the gateway turns into an error without a request: {method, refusal}. */
export const REFUSED = 'refused';

export interface RefusedParams {
  readonly method: string;
  readonly refusal: Refusal;
}

type Notification = {
  readonly [Method in DeviceNotification]: {
    readonly method: Method;
    readonly params: DeviceNotificationParams[Method];
  };
}[DeviceNotification];

function notify(
  device: RemoteDevice,
  notification: Notification,
  contents: readonly PageContents[],
): Refusal | 'none' {
  if (device.state !== 'attached') return refuse('fenced', '', '');
  const { api } = device;
  switch (notification.method) {
    case 'zone_device_page_init': {
      const { pfns } = notification.params;
      const stranger = notFree(device, pfns);
      if (stranger !== 'none') return notYours(`params.pfns[${stranger}]`);
      for (const frame of pfns) {
        device.privateInUse.add(frame);
        device.unplaced.add(frame);
        api.zoneDevicePageInit(frame);
      }
      return 'none';
    }
    case 'mirror_changed': {
      const over = mirrorOverLimit(device, notification.params);
      if (over !== 'none') return over;
      for (const { page, entry } of notification.params.changes) {
        if (entry.state === 'mapped') device.mirrored.add(page);
        else device.mirrored.delete(page);
        api.mirrorChanged(page, entry);
      }
      return 'none';
    }
    case 'private_memory_accessed': {
      const { accesses } = notification.params;
      if (contents.length !== accesses.length) return wrongCount('contents', accesses.length);
      const stranger = accesses.findIndex(({ pfn }) => !ownsPrivateFrames(device, pfn, 1));
      if (stranger >= 0) return notYours(`params.accesses[${stranger}].pfn`);
      for (const [at, access] of accesses.entries()) {
        const bytes = contents[at];
        if (bytes === undefined) continue;
        api.privateMemoryAccessed(access.page, access.pfn, access.mode, bytes);
      }
      return 'none';
    }
    // These are the session's: they do not reach a machine.
    case 'ack':
    case 'held':
    case 'went_on':
      return 'none';
  }
}

/** The place of the first frame that is not the device's, in use already, or there twice; 'none' if all are free. */
function notFree(device: RemoteDevice, pfns: readonly Pfn[]): number | 'none' {
  const seen = new Set<Pfn>();
  for (const [at, pfn] of pfns.entries()) {
    if (!ownsPrivateFrames(device, pfn, 1) || device.privateInUse.has(pfn)) return at;
    if (seen.has(pfn)) return at;
    seen.add(pfn);
  }
  return 'none';
}
