/** A cue as what its player's client is asked for. */
import type { Cue } from '../../../server/protocol/run-sheet.ts';
import { hexAddress, pageIndex } from '../../../server/vocabulary/address.ts';
import type { VerbParams } from '../../sdk/conductor.ts';

/** `left` are the verbs of the cue that are still to be done. */
export function verbsOfCue({ value }: Cue, left: Cue['do'], page: number): VerbParams[] {
  const range = { first: page, end: page + 1 };
  const address = hexAddress(pageIndex(page));
  return left.map((verb): VerbParams => {
    switch (verb) {
      case 'pages':
      case 'finalize':
        return { verb };
      case 'write':
        return { verb, range, values: [value ?? '0x1'] };
      case 'load':
        return { verb, address };
      case 'store':
        return { verb, address, value: value ?? '0x1' };
      default:
        return { verb, range };
    }
  });
}
