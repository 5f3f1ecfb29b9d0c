import { spoken } from '../sheet/cast.ts';
import type { Room } from './use-room.ts';

/** The cue that was, the one that is, the one that comes: a room has to know what comes. */
export function CueLine({ room }: { readonly room: Room }) {
  const { sheet, cue, cast, called, led } = room;
  if (sheet === 'none') return null;
  const before = sheet.cues[cue.at - 1];
  const after = sheet.cues[cue.at + 1];
  const words = (one: (typeof sheet.cues)[number] | undefined) =>
    one === undefined ? '' : spoken(`{${one.role}}: ${one.button}`, cast, called);
  const done = before === undefined ? '' : `✓ ${words(before)}`;
  const held =
    led === 'none' ? [] : led.held.map(({ actor, at }) => `❚❚ ${called(actor)}: ${placeOf(at)}`);
  return (
    <div className="cue-line" role="status">
      <p className="before">{held.length > 0 ? held.join(' · ') : done}</p>
      <p className="now">
        {cue.now === 'none' ? (
          'That was the race.'
        ) : (
          <>
            <b>{cue.at + 1}</b> {spoken(cue.now.says, cast, called)}
          </>
        )}
      </p>
      <p className="after">{after === undefined ? '' : `next ${words(after)}`}</p>
    </div>
  );
}

/** `do_swap_page.swap_ptl` as the function that it is in. */
function placeOf(point: string): string {
  return `${point.split('.')[0]}()`;
}
