import { HelloResult } from '../../server/protocol/hello.ts';
import { compileCheck } from '../../server/protocol/validators.ts';

const HELLO = compileCheck(HelloResult);

export function acceptsHello(result: unknown): result is HelloResult {
  return HELLO.accepts(result);
}
