/** CpuApi over a connection: each access and each system call is a request whose answer its task waits for. */
import type { CpuApi } from '../../server/abi/cpu-api.ts';
import { CPU_CALL_NAMES, CPU_CALLS, type CpuCallName } from '../../server/abi/cpu-calls.ts';
import type { CpuParams, CpuResults } from '../../server/protocol/cpu-requests.ts';
import { fail, ok } from '../../server/vocabulary/errno.ts';
import type { RemoteCalls } from './remote-calls.ts';

export type CpuCalls = RemoteCalls<CpuParams, CpuResults>;

/** The kernel as a CPU thread in this process sees it. A lost session throws CallRefused in the task. */
export function remoteCpuApi(calls: CpuCalls): CpuApi {
  const methods = CPU_CALL_NAMES.map((name) => {
    const toParams = CPU_CALLS[name].toParams as (...args: unknown[]) => never;
    const perform = CPU_CALLS[name].kind === 'access' ? access : systemCall;
    return [name, (...args: unknown[]) => perform(calls, name, toParams(...args))] as const;
  });
  return Object.fromEntries(methods) as unknown as CpuApi;
}

function* access(calls: CpuCalls, name: CpuCallName, params: never) {
  const answer = yield* calls.demand(name, params);
  if ('signal' in answer) return { kind: 'signal', signal: answer.signal };
  return { kind: 'done', value: 'value' in answer ? BigInt(answer.value) : undefined };
}

/** A system call that answers with an errno, and pin with how many pages it pinned. */
function* systemCall(calls: CpuCalls, name: CpuCallName, params: never) {
  const answer = yield* calls.ask(name, params);
  if (!answer.ok) return fail(answer.refusal.errno);
  return ok('pinned' in answer.result ? answer.result.pinned : undefined);
}
