/** How people play a scenario in a room: who is who, who does what when. `{role}` in a text is the player's name. */
import { type Static, Type } from 'typebox';
import { prose } from '../abi/prose.ts';
import { described, name, strict, word } from '../abi/scalars.ts';

const role = Type.String({
  pattern: '^[a-z]{1,16}$',
  description: 'the name of a role: 1 to 16 small letters',
});
const words = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, description });

const title = words(48, 'the title on the stage');
const at = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*(\\+[0-9]{1,6})?$',
  description: 'the page that everybody looks at: the name of a vma, or a page of it as name+2',
});
const cast = {
  role,
  actor: { ...name, description: 'the actor of the scenario that the role is' },
  says: words(120, 'what the role card says'),
};
const verb = word('read', 'write', 'setup', 'pages', 'finalize', 'load', 'store');
const cue = {
  role,
  do: Type.Array(verb, {
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
};

/** As a scenario has it. */
export const RunSheet = strict({
  title,
  at,
  cast: Type.Array(strict(cast), { minItems: 1, maxItems: 8 }),
  cues: Type.Array(strict(cue), { minItems: 1, maxItems: 16 }),
});
export type RunSheet = Static<typeof RunSheet>;

/** Where a cue ends that the lab leads. */
export const LedUntil = Type.Union([
  Type.Literal('end', { description: 'the client has done all of it' }),
  strict({
    at: Type.String({ description: 'the yield point before which its task stands' }),
    passes: Type.Integer({ minimum: 0, description: 'how often it goes past that point first' }),
  }),
  strict({
    past: Type.String({ description: 'the yield point behind which its task stands' }),
    passes: Type.Integer({ minimum: 1, description: 'how often it goes past that point' }),
  }),
  strict({
    after: Type.String({ description: 'the kernel function behind which its client stands' }),
  }),
]);
export type LedUntil = Static<typeof LedUntil>;

/** A part of what an actor does, where an order lies inside of calls: the lab steps it until there, no further. */
export const LedCue = strict({
  op: Type.String({ description: 'names what is done; later cues of the same go on with it' }),
  begins: Type.Optional(
    Type.Object(
      { verb: Type.String() },
      { description: 'the verb, as the client knows it; without one it goes on where it stands' },
    ),
  ),
  until: LedUntil,
});
export type LedCue = Static<typeof LedCue>;

/** As a lab has it: beside what a scenario says, cues that the lab leads. All of a sheet are, or none. */
export const LabSheet = strict({
  title,
  at,
  cast: Type.Array(
    strict({
      ...cast,
      plays: Type.Optional(
        described(
          word('device', 'cpu', 'this seat'),
          'Who can have the role; `this seat` is a thread that only the seat can be.',
        ),
      ),
    }),
    { minItems: 1, maxItems: 8 },
  ),
  cues: Type.Array(
    strict({ ...cue, do: Type.Array(verb, { maxItems: 4 }), led: Type.Optional(LedCue) }),
    { minItems: 1, maxItems: 32 },
  ),
  breaks: Type.Optional(
    Type.String({ description: 'the rule that is broken at the end of cues that are led' }),
  ),
});
export type LabSheet = Static<typeof LabSheet>;
export type Cue = LabSheet['cues'][number];
