import type Type from 'typebox';
import type { VerbHelp } from '../../../server/abi/verb-help.ts';
import type { VerbParams } from '../../sdk/conductor.ts';

/** What one press of a button asks a client for. */
export interface VerbAsk {
  readonly label: string;
  /** As the log of the client has it: the label, unless said. */
  readonly what?: string;
  readonly params: VerbParams;
}

export interface VerbButtonsProps {
  readonly asks: readonly VerbAsk[];
  readonly disabled: boolean;
  readonly onAsk: (ask: VerbAsk) => void;
  readonly size?: 'small' | 'large';
}

export function VerbButtons({ asks, disabled, onAsk, size = 'large' }: VerbButtonsProps) {
  return asks.map((ask) => (
    <button
      key={ask.label}
      type="button"
      className={size === 'small' ? 'small' : ''}
      disabled={disabled}
      onClick={() => onAsk(ask)}
    >
      {ask.label}
    </button>
  ));
}

interface Spec {
  readonly params: Type.TObject;
  readonly help: VerbHelp | 'none';
}

/**
 * The verbs of a table that need nothing but the page, and a word of a few: one ask for each word. `page` has the
 * parameters by which the client's verbs name a page.
 */
export function asksOfPage(
  table: { readonly [name: string]: Spec },
  where: string,
  page: { readonly [param: string]: unknown },
): readonly VerbAsk[] {
  return Object.entries(table).flatMap(([verb, { params, help }]) => {
    const taken = Object.entries(params.properties);
    const others = taken.filter(([param]) => !Object.hasOwn(page, param));
    const onPage = Object.fromEntries(
      taken.flatMap(([param]) => (Object.hasOwn(page, param) ? [[param, page[param]]] : [])),
    );
    if (help === 'none' || others.length > 1) return [];
    const what = taken.length === others.length ? '' : ` ${where}`;
    const [other] = others;
    if (other === undefined) {
      return [{ label: verb, what: `${verb}${what}`, params: { verb, ...onPage } }];
    }
    const [param, schema] = other;
    const { enum: words = [] } = schema as { readonly enum?: readonly string[] };
    return words.map((word) => ({
      label: `${verb} ${word}`,
      what: `${verb}${what} ${word}`,
      params: { verb, ...onPage, [param]: word },
    }));
  });
}
