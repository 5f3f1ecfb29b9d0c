import type { RunEvents } from '../../../server/protocol/http-api.ts';
import './swap-diagram.css';

type Steps = RunEvents['steps'];
type Sibling = NonNullable<RunEvents['sibling']>;

/** Steps of one actor in a row. */
interface Block {
  readonly actor: string;
  /** From 1. */
  readonly first: number;
  readonly last: number;
}

export interface SwapDiagramProps {
  readonly steps: Steps;
  readonly sibling: Sibling;
}

/** Who goes when, in the order that fails and in the nearest one that does not: step stands over step. */
export function SwapDiagram({ steps, sibling }: SwapDiagramProps) {
  const actors = [...new Set([...steps, ...sibling.steps].map(({ actor }) => actor))];
  const count = Math.max(steps.length, sibling.steps.length);
  const isSwapped = ({ first, last }: Block) =>
    sibling.swapped.some((span) => span.first <= last && first <= span.last);
  return (
    <figure className="swap">
      <Row
        words="fails"
        blocks={blocksOf(steps)}
        count={count}
        actors={actors}
        marked={isSwapped}
      />
      <Row words="holds" blocks={blocksOf(sibling.steps)} count={count} actors={actors} />
      <figcaption className="quiet">
        {actors.map((actor, at) => (
          <span key={actor}>
            <i className={`of-${at % TONES}`} /> {actor}{' '}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

/** Actors that have a tone of their own. */
const TONES = 4;

interface RowProps {
  readonly words: string;
  readonly blocks: readonly Block[];
  readonly count: number;
  readonly actors: readonly string[];
  readonly marked?: (block: Block) => boolean;
}

function Row({ words, blocks, count, actors, marked = () => false }: RowProps) {
  return (
    <div className="swap-row">
      <b>{words}</b>
      <div style={{ gridTemplateColumns: `repeat(${count}, minmax(0, 1fr))` }}>
        {blocks.map((block) => (
          <i
            key={block.first}
            className={`of-${actors.indexOf(block.actor) % TONES} ${marked(block) ? 'swapped' : ''}`}
            style={{ gridColumn: `${block.first} / ${block.last + 1}` }}
            title={`${block.actor}: steps ${block.first} to ${block.last}`}
          />
        ))}
      </div>
    </div>
  );
}

function blocksOf(steps: Steps): Block[] {
  const blocks: Block[] = [];
  for (const [at, { actor }] of steps.entries()) {
    const before = blocks.at(-1);
    if (before?.actor === actor) blocks[blocks.length - 1] = { ...before, last: at + 1 };
    else blocks.push({ actor, first: at + 1, last: at + 1 });
  }
  return blocks;
}
