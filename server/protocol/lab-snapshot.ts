import { type Static, Type } from 'typebox';
import { name, named, strict, word } from '../abi/scalars.ts';
import { LabControl } from './lab-control.ts';
import { mm } from './wire-values.ts';

/** The state of a lab at event `n`, for an observer that begins to watch. */
export const LabSnapshot = named(
  'lab snapshot',
  strict({
    lab: name,
    n: Type.Integer({
      minimum: 0,
      description: 'The last event that this state contains; the next one sent is n + 1.',
    }),
    kernel: Type.String({ description: 'the version of Linux that the lab runs' }),
    patch: Type.String({ description: "the patch that the kernel runs with, 'stock' for none" }),
    actors: Type.Array(
      strict({ name, role: word('device', 'cpu'), state: word('attached', 'away', 'fenced') }),
    ),
    /** The entries that are not 'none', of the CPU page tables and of the devices. Shapes: event.ts. */
    ptes: Type.Array(
      Type.Object({ mm, page: Type.Integer(), entry: Type.Object({ state: Type.String() }) }),
    ),
    mirrors: Type.Array(
      Type.Object({
        device: Type.String(),
        page: Type.Integer(),
        entry: Type.Object({ state: Type.String() }),
      }),
    ),
    vmas: Type.Array(
      Type.Object({ mm, first: Type.Integer(), end: Type.Integer(), prot: Type.String() }),
    ),
    control: Type.Optional(LabControl),
  }),
);
export type LabSnapshot = Static<typeof LabSnapshot>;
