/**
 * A device of somebody else's: written on `ws` and the protocol document alone, without the SDK. It subscribes, faults
 * and answers invalidations. Named like a test to stay out of the package.
 */
import { WebSocket } from 'ws';

/** What is wrong with it, if anything. */
export type DeviceFlaw =
  | 'none'
  | 'moody'
  | 'ignores-retry'
  | 'never-answers'
  | 'never-resets'
  | 'knows-no-reset'
  | 'keeps-entries'
  | 'bad-params'
  | 'asks-without-lock'
  | 'leaves'
  | 'knows-read-only';

interface Range {
  readonly first: number;
  readonly end: number;
}

interface Frame {
  readonly id?: number | string;
  readonly seq: number;
  readonly method?: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server says
  readonly params?: any;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server says
  readonly result?: any;
  readonly error?: { readonly data?: { readonly errno?: string } };
}

export interface WsDevice {
  close(): void;
}

export function startWsDevice(
  url: string,
  { lab, name, flaw }: { readonly lab: string; readonly name: string; readonly flaw: DeviceFlaw },
): WsDevice {
  const socket = new WebSocket(url, 'mmrace.v1');
  const answers = new Map<number, (frame: Frame) => void>();
  const mapped = new Map<number, number>();
  let seq = 0;
  let lastId = 0;
  let resets = 0;
  let subscription = 0;
  let invalidateSeq = 0;

  const send = (frame: object): void => {
    seq += 1;
    socket.send(JSON.stringify({ jsonrpc: '2.0', seq, ...frame }));
  };
  // No promises: what comes with the answer in one packet would be handled before it.
  const ask = (method: string, params: object, then: (answer: Frame) => void): void => {
    lastId += 1;
    answers.set(lastId, then);
    send({ id: lastId, method, params });
  };
  const tellMirror = (page: number, entry: object): void => {
    send({ method: 'mirror_changed', params: { changes: [{ page, entry }] } });
  };

  const begin = (): void => {
    mapped.clear();
    ask('mmu_interval_notifier_insert', { range: { first: 0, end: 2 ** 35 } }, ({ result }) => {
      subscription = result.subscription;
      invalidateSeq = result.invalidate_seq;
    });
  };

  const lookUp = (range: Range, then: (answer: Frame) => void): void => {
    const words = { subscription, range, default_flags: 'fault' };
    if (flaw === 'asks-without-lock') {
      ask('hmm_range_fault', { ...words, notifier_seq: invalidateSeq }, then);
      return;
    }
    const moody = flaw === 'moody' && resets % 2 === 0;
    const asked = {
      ...words,
      range: moody ? { ...range, first: range.first - 1 } : range,
      invalidate_seq: flaw === 'bad-params' ? 'none' : invalidateSeq,
    };
    ask('hmm_range_fault_unlocked', asked, then);
  };

  const fault = (range: Range, done: (errno: string) => void): void => {
    lookUp(range, ({ result, error }) => {
      // Nothing else runs between the comparison and the entry: this is the driver's lock.
      const collided = result !== undefined && result.seq !== invalidateSeq;
      if (error?.data?.errno === 'EBUSY' || (collided && flaw !== 'ignores-retry')) {
        fault(range, done);
        return;
      }
      if (error !== undefined) {
        done(error.data?.errno ?? 'EIO');
        return;
      }
      const page = range.end - 1;
      const entry: number = result.pfns.at(-1);
      const pfn = Math.floor(entry / 64);
      mapped.set(page, pfn);
      tellMirror(page, { state: 'mapped', pfn, access: (entry & 2) === 2 ? 'write' : 'read' });
      done('OK');
    });
  };

  const perform = ({ id, params }: Frame): void => {
    const { verb, range } = params;
    if (flaw === 'never-answers') return;
    if (flaw === 'leaves') {
      socket.close(1000);
      return;
    }
    const known = flaw === 'knows-read-only' ? ['read'] : ['read', 'fault-read'];
    if (known.includes(verb)) fault(range, (errno) => send({ id, result: { errno } }));
    else send({ id, error: { code: -32602, message: 'no such verb', data: { errno: 'EINVAL' } } });
  };

  const invalidate = ({ id, params }: Frame): void => {
    invalidateSeq = params.seq;
    for (const page of [...mapped.keys()]) {
      if (page < params.range.first || page >= params.range.end || flaw === 'keeps-entries')
        continue;
      mapped.delete(page);
      tellMirror(page, { state: 'none' });
    }
    send({ id, result: { result: 'done', invalidate_seq: invalidateSeq } });
  };

  const asked = (frame: Frame): void => {
    switch (frame.method) {
      case 'reset':
        resets += 1;
        if (flaw === 'never-resets') return;
        if (flaw === 'knows-no-reset') {
          send({
            id: frame.id,
            error: { code: -32601, message: 'what?', data: { errno: 'EINVAL' } },
          });
          return;
        }
        send({ id: frame.id, result: {} });
        begin();
        return;
      case 'perform':
        perform(frame);
        return;
      case 'invalidate':
        invalidate(frame);
        return;
      case 'release':
        send({ id: frame.id, result: {} });
        return;
      default:
    }
  };

  socket.on('open', () => {
    ask('hello', { protocol: 'mmrace.v1', lab, role: 'device', name }, () => undefined);
  });
  socket.on('message', (data) => {
    const frame: Frame = JSON.parse(String(data));
    if (frame.method !== undefined) asked(frame);
    else if (typeof frame.id === 'number') answers.get(frame.id)?.(frame);
  });
  socket.on('error', () => undefined);
  return { close: () => socket.close(1000) };
}
