/** The parameters of an operation as the tables of calls and verbs have them: places are addresses. */
import { DMIRROR_VERBS, type DmirrorVerb } from '../../clients/drivers/dmirror/dmirror-verb.ts';
import { hexU64Of } from '../abi/cpu-call.ts';
import { CPU_CALLS, type CpuCallName } from '../abi/cpu-calls.ts';
import { hexAddress, pagesFrom } from '../vocabulary/address.ts';
import type { CpuOp, DeviceOp, Op } from './op-schema.ts';
import { pageOfPlace } from './places.ts';
import type { Scenario } from './scenario-schema.ts';

export type CallOp = Extract<CpuOp, { readonly do: CpuCallName }>;

/** They fit the schema of the call. */
export function callParams(scenario: Scenario, op: CallOp): object {
  return params(scenario, op, Object.keys(CPU_CALLS[op.do].params.properties));
}

export function deviceVerb(scenario: Scenario, op: DeviceOp): DmirrorVerb {
  const takes = Object.keys(DMIRROR_VERBS[op.do].params.properties);
  return { verb: op.do, ...params(scenario, op, takes) } as unknown as DmirrorVerb;
}

/** `op` must have passed check-scenario.ts. */
function params(scenario: Scenario, op: Op, takes: readonly string[]): object {
  const { at = '', pages = 1, to = '', value = 0 } = op as Fields;
  const found: { [param: string]: unknown } = {};
  for (const param of takes) {
    const said = translated(param);
    if (said !== undefined) found[param] = said;
  }
  return found;

  function translated(param: string): unknown {
    switch (param) {
      case 'address':
        return hexAddress(pageOfPlace(scenario, at));
      case 'range':
        return pagesFrom(pageOfPlace(scenario, at), pages);
      case 'pages':
        return pages;
      case 'to':
        return hexAddress(pageOfPlace(scenario, to));
      case 'value':
        return hexU64Of(BigInt(value));
      case 'values':
        return new Array<string>(pages).fill(hexU64Of(BigInt(value)));
      default:
        return (op as { readonly [field: string]: unknown })[param];
    }
  }
}

interface Fields {
  readonly at?: string;
  readonly pages?: number;
  readonly to?: string;
  readonly value?: number | string;
}
