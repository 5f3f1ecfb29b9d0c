import { frameWords, type MomentCell, pictureMoment } from '../picture/moment.ts';
import type { Room } from '../room/use-room.ts';

/** My mirror, and what the page table says: two cells that should agree. */
export function OwnCells({ room, name }: { readonly room: Room; readonly name: string }) {
  const { page, feed } = room;
  if (page === 'none') {
    return <p className="note">No memory is mapped yet. A CPU thread has to map some.</p>;
  }
  const { now: model } = feed.history;
  // A thread has no mirror of its own.
  const racers = model.actors.get(name)?.role === 'cpu' ? [] : [name];
  const { cells } = pictureMoment(model, { page, racers, cpu: 'cpu0', cellsMax: 2 });
  const mine = racers.length === 0 ? undefined : cells.find(({ actor }) => actor === name);
  return (
    <div className="own-cells">
      {mine === undefined ? null : <OwnCell title="My mirror" cell={mine} />}
      {cells[0] === undefined ? null : <OwnCell title="The page table" cell={cells[0]} />}
    </div>
  );
}

const GLYPHS = { zero: '○', main: '■', device: '▲' } as const;

function OwnCell({ title, cell }: { readonly title: string; readonly cell: MomentCell }) {
  const { holds, coherence, side } = cell;
  const tone = holds === 'nothing' ? 'empty' : holds.kind;
  return (
    <div
      className={`own-cell ${side} ${tone} ${coherence}`}
      data-testid={side === 'mirror' ? 'my-entry' : 'cpu-entry'}
    >
      <p>
        <strong>{title}</strong>
        <span>{cellWords(cell)}</span>
      </p>
      <output>{holds === 'nothing' ? 'nothing' : holds.value}</output>
    </div>
  );
}

function cellWords({ holds, side, words, coherence }: MomentCell): string {
  if (holds === 'nothing') return side === 'mirror' ? 'a read asks the kernel' : words;
  const still = coherence === 'stale' ? 'still ' : '';
  return `${GLYPHS[holds.kind]} ${still}${frameWords(holds)}`;
}
