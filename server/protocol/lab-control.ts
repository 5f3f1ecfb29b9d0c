/** How a lab is being driven, as observers and the HTTP routes see it. */
import { type Static, Type } from 'typebox';
import { prose } from '../abi/prose.ts';
import { described, named, strict, word } from '../abi/scalars.ts';

/** Tasks that one list shows. Of more, those that became ready or began to wait last are left out. */
export const TASKS_SHOWN_MAX = 256;

const nullable = <Schema extends Type.TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);

/** A task of the machine that has not ended. */
export const TaskEntry = named(
  'task entry',
  strict({
    id: Type.Integer({ minimum: 1 }),
    actor: Type.String({ description: 'the actor that it runs for' }),
    name: Type.String(),
    at: Type.String({ description: 'the yield point where it stands: function.moment' }),
    ready: Type.Boolean({ description: 'whether it could take a step now' }),
    waitsFor: nullable(
      Type.String({ description: 'the object that it waits for, if it is not ready' }),
    ),
    holder: nullable(
      Type.String({ description: 'the actor that has what it waits for, if that is known' }),
    ),
  }),
);
export type TaskEntry = Static<typeof TaskEntry>;

/** Choices of one vote. */
export const VOTE_CHOICES_MAX = 8;

export const VoteChoice = strict({
  choice: Type.String({ minLength: 1, maxLength: 64 }),
  words: Type.String({ maxLength: 64, description: 'what it would do' }),
});
export type VoteChoice = Static<typeof VoteChoice>;
export const LabVote = strict({
  round: Type.Integer({ minimum: 1, description: 'counts the questions of the lab' }),
  about: Type.String({ maxLength: 64 }),
  choices: Type.Array(VoteChoice, { maxItems: VOTE_CHOICES_MAX }),
  counts: Type.Record(Type.String(), Type.Integer({ minimum: 1 })),
});
export type LabVote = Static<typeof LabVote>;

/** Where a lab stands that is led cue by cue. */
export const LabLed = strict({
  cue: Type.Integer({ minimum: 0, description: 'the one that is next, or under way' }),
  state: word('next', 'under way', 'done', 'lost'),
  held: Type.Array(strict({ actor: Type.String(), at: Type.String() }), {
    description: 'Who stands in the middle of what they do, and where.',
  }),
  why: Type.Optional(Type.String({ description: 'what went another way than the counterexample' })),
});
export type LabLed = Static<typeof LabLed>;

export const LabControl = named(
  'lab control',
  strict({
    paused: Type.Boolean(),
    locked: Type.Boolean({ description: 'Only the presenter may control.' }),
    speed: Type.Union([Type.Literal('full'), Type.Number({ exclusiveMinimum: 0 })], {
      description: 'Steps a second; full is as fast as they come.',
    }),
    tasks: Type.Array(TaskEntry, {
      maxItems: TASKS_SHOWN_MAX,
      description: prose(`
      While the lab is paused or slowed: ready ones first, in the order in which they would go; then those that wait.
    `),
    }),
    cast: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Roles of the run sheet that the presenter has given to an actor.',
      }),
    ),
    labels: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'What the presenter calls actors, by name. The name stays what it is.',
      }),
    ),
    vote: Type.Optional(described(LabVote, 'What the room is asked, and what it has said.')),
    shows: Type.Optional(
      described(word('race', 'code'), 'What the stage shows: the race, unless said.'),
    ),
    led: Type.Optional(
      described(LabLed, 'Of a lab whose run sheet is led: an order that lies inside of calls.'),
    ),
    tasksLeftOut: Type.Integer({
      minimum: 0,
      description: 'How many tasks the list has no room for.',
    }),
  }),
);
export type LabControl = Static<typeof LabControl>;
