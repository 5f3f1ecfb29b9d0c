/** How people play a scenario in a room: who is who, who does what when. `{role}` in a text is the player's name. */
import { type Static, Type } from 'typebox';
import { prose } from '../abi/prose.ts';
import { name, strict, word } from '../abi/scalars.ts';

const role = Type.String({
  pattern: '^[a-z]{1,16}$',
  description: 'the name of a role: 1 to 16 small letters',
});
const words = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, description });

export const RunSheet = strict({
  title: words(48, 'the title on the stage'),
  at: Type.String({
    pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*(\\+[0-9]{1,6})?$',
    description: 'the page that everybody looks at: the name of a vma, or a page of it as name+2',
  }),
  cast: Type.Array(
    strict({
      role,
      actor: { ...name, description: 'the actor of the scenario that the role is' },
      says: words(120, 'what the role card says'),
    }),
    { minItems: 1, maxItems: 8 },
  ),
  cues: Type.Array(
    strict({
      role,
      do: Type.Array(word('read', 'write', 'setup', 'pages', 'finalize', 'load', 'store'), {
        minItems: 1,
        maxItems: 4,
        description: prose(`
          verbs of the player's client, one after the other; the cue is done when the last one is
        `),
      }),
      value: Type.Optional(
        Type.String({ pattern: '^0x[0-9a-f]{1,16}$', description: 'what is written, as 0x2a' }),
      ),
      button: words(24, 'on the button of whose turn it is'),
      says: words(80, 'for everybody who watches, as it is about to happen'),
    }),
    { minItems: 1, maxItems: 16 },
  ),
});
export type RunSheet = Static<typeof RunSheet>;
export type Cue = RunSheet['cues'][number];
