/** CpuApi over a connection: each access and each system call is a request whose answer its task waits for. */
import type { Accessed, CpuApi, Signal } from '../../server/abi/cpu-api.ts';
import type { CpuMethod, CpuParams, CpuResults } from '../../server/protocol/cpu-requests.ts';
import type { Task } from '../../server/task/task.ts';
import { hexAddress, type PageRange, pageCount } from '../../server/vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../server/vocabulary/errno.ts';
import type { RemoteCalls } from './remote-calls.ts';

export type CpuCalls = RemoteCalls<CpuParams, CpuResults>;

/** The kernel as a CPU thread in this process sees it. A lost session throws CallRefused in the task. */
export function remoteCpuApi(calls: CpuCalls): CpuApi {
  return {
    *load(address) {
      const answer = yield* calls.demand('load', { address: hexU64(BigInt(address)) });
      return 'signal' in answer ? signalled(answer.signal) : done(BigInt(answer.value));
    },
    *store(address, value) {
      const params = { address: hexU64(BigInt(address)), value: hexU64(value) };
      const answer = yield* calls.demand('store', params);
      return 'signal' in answer ? signalled(answer.signal) : done(undefined);
    },
    mmap: ({ range, prot, kind, file, offset }) =>
      systemCall(calls, 'mmap', {
        ...region(range),
        prot,
        kind,
        ...(file === undefined ? {} : { file }),
        ...(offset === undefined ? {} : { offset }),
      }),
    munmap: (range) => systemCall(calls, 'munmap', region(range)),
    mprotect: (range, prot) => systemCall(calls, 'mprotect', { ...region(range), prot }),
    madvise: (range, advice) => systemCall(calls, 'madvise', { ...region(range), advice }),
    mremap: (range, to) => systemCall(calls, 'mremap', { ...region(range), to: hexAddress(to) }),
    fork: (child) => systemCall(calls, 'fork', { child }),
    exit: () => systemCall(calls, 'exit', {}),
    *pin(id, range, mode) {
      const answer = yield* calls.ask('pin', { id, ...region(range), mode });
      return answer.ok ? ok(answer.result.pinned) : fail(answer.refusal.errno);
    },
    unpin: (id) => systemCall(calls, 'unpin', { id }),
  };
}

/** A system call that answers with an errno and nothing else. */
function* systemCall<Method extends CpuMethod>(
  calls: CpuCalls,
  method: Method,
  params: CpuParams[Method],
): Task<Result<void>> {
  const answer = yield* calls.ask(method, params);
  return answer.ok ? OK : fail(answer.refusal.errno);
}

function done<T>(value: T): Accessed<T> {
  return { kind: 'done', value };
}

function signalled(signal: Signal): Accessed<never> {
  return { kind: 'signal', signal };
}

function region(range: PageRange): { readonly address: string; readonly pages: number } {
  return { address: hexAddress(range.first), pages: pageCount(range) };
}

function hexU64(value: bigint): string {
  return `0x${value.toString(16)}`;
}
