import type { CSSProperties } from 'preact';
import type { Box, PictureLayout, PlacedCell, PlacedFrame, PlacedPlace } from './layout.ts';
import {
  frameWords,
  momentSentence,
  type PictureMoment,
  type SeenFrame,
  type Sweep,
} from './moment.ts';
import './picture.css';

export interface PictureProps {
  readonly moment: PictureMoment;
  readonly layout: PictureLayout;
  readonly sweep: Sweep;
  /** Who acts in this moment, and the word for it. */
  readonly acting?: { readonly actor: string; readonly words: string };
  /** Of another moment than the last one drawn: nothing travels between two machines. */
  readonly machine?: string;
  /** What an actor is called, if not by its name. */
  readonly called?: (actor: string) => string;
}

/**
 * An entry points to a page, a mirror copies an entry, a sweep clears mirrors, and a ghost is a mirror that no sweep
 * has reached. What is drawn is one moment; CSS moves what is elsewhere in the next one.
 */
export function Picture({
  moment,
  layout,
  sweep,
  acting,
  machine = '',
  called = itself,
}: PictureProps) {
  const { width, height, shape, cells, places, arrows, swept } = layout;
  return (
    <svg
      className={`picture ${shape} ${sweep}`}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={momentSentence(moment)}
      key={machine}
    >
      <defs>
        <marker
          id="tip"
          viewBox="0 0 8 8"
          refX="6"
          refY="4"
          markerWidth="3.6"
          markerHeight="3.6"
          orient="auto"
        >
          <path d="M0 0L8 4L0 8z" fill="context-stroke" />
        </marker>
        <pattern
          id="hatch"
          width="12"
          height="12"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <rect width="12" height="12" className="hatch-ground" />
          <path d="M0 0V12" className="hatch-line" />
        </pattern>
      </defs>
      {places.map((placed) => (
        <Place key={placed.place.name} placed={placed} shape={shape} called={called} />
      ))}
      {places
        .flatMap(({ frames }) => frames)
        .toSorted(
          (a, b) =>
            Number(a.frame.standing === 'the page') - Number(b.frame.standing === 'the page'),
        )
        .map((placed) => (
          <Frame key={frameKey(placed)} placed={placed} shape={shape} />
        ))}
      <SweepMark sweep={sweep} swept={swept} shape={shape} />
      {cells.map((placed) => (
        <Cell
          key={placed.cell.actor}
          placed={placed}
          shape={shape}
          called={called}
          doing={acting?.actor === placed.cell.actor ? acting.words : ''}
        />
      ))}
      {arrows.map(({ cell, path }) => (
        <path
          key={cell.actor}
          className={`arrow ${toneOf(cell.holds)} ${cell.coherence}`}
          d={path}
          style={{ d: `path("${path}")` } as CSSProperties}
        />
      ))}
    </svg>
  );
}

function frameKey({ frame }: PlacedFrame): string {
  return frame.standing === 'the page' ? 'page' : `frame ${frame.frame}`;
}

function toneOf(frame: SeenFrame | 'nothing'): string {
  return frame === 'nothing' ? 'empty' : frame.kind;
}

const GLYPHS = { zero: '○', main: '■', device: '▲' } as const;

interface CellProps {
  readonly placed: PlacedCell;
  readonly shape: PictureLayout['shape'];
  readonly called: (actor: string) => string;
  /** What the actor does; empty if nothing. */
  readonly doing: string;
}

function Cell({ placed, shape, called, doing }: CellProps) {
  const { cell, x, y, w, h, valueSize } = placed;
  const { actor, side, holds, words, coherence } = cell;
  const kinds = `cell ${side} ${toneOf(holds)} ${coherence} ${doing === '' ? '' : 'doing'}`;
  const kindWords = side === 'entry' ? 'page table' : 'mirror';
  const isStale = coherence === 'stale';
  const isWide = shape === 'wide';
  const pad = isWide ? 24 : 13;
  const wordSize = isWide ? 34 : 18;
  const whole = called(actor);
  const name = whole.length > 14 ? `${whole.slice(0, 13)}…` : whole;
  return (
    <g className={kinds} data-actor={actor}>
      <rect className="box" x={x} y={y} width={w} height={h} rx={isWide ? 10 : 4} />
      {side === 'mirror' ? (
        <rect
          className="inner"
          x={x + 5}
          y={y + 5}
          width={w - 10}
          height={h - 10}
          rx={isWide ? 6 : 2}
        />
      ) : null}
      {isWide ? (
        <>
          <text className="name" x={x} y={y - 16}>
            {name}
          </text>
          <text className="side end" x={x + w} y={y - 16}>
            {headWords(doing, kindWords, name, w)}
          </text>
        </>
      ) : (
        <text x={x + pad} y={y + 26}>
          <tspan className="name">{name}</tspan>{' '}
          {/* A stale one is a mirror, and the sign that says so needs the place. */}
          {isStale ? null : <tspan className="side">{kindWords}</tspan>}
        </text>
      )}
      {!isWide && doing !== '' && !isStale ? (
        <text className="do end" x={x + w - pad} y={y + h - 14}>
          {doing}
        </text>
      ) : null}
      <text
        className={holds === 'nothing' ? 'none' : 'value'}
        x={x + pad}
        y={isWide ? y + h * 0.36 + valueSize * 0.36 : y + h - 14}
        style={{ fontSize: holds === 'nothing' ? wordSize : valueSize }}
      >
        {holds === 'nothing' ? words : holds.value}
      </text>
      {isWide && holds !== 'nothing' ? (
        <text
          className="where"
          x={x + pad}
          y={y + h - 26}
          style={{ fontSize: fitting(28, `○ ${frameWords(holds)}`, w - 2 * pad) }}
        >
          {GLYPHS[holds.kind]} {frameWords(holds)}
        </text>
      ) : null}
      {isStale ? (
        <g
          className="tag"
          transform={`translate(${x + w - (isWide ? 140 : 86)} ${y + (isWide ? 18 : 8)})`}
        >
          <rect width={isWide ? 118 : 74} height={isWide ? 40 : 24} rx="4" />
          <text x={isWide ? 59 : 37} y={isWide ? 29 : 18}>
            {isWide ? 'STALE' : 'stale'}
          </text>
        </g>
      ) : null}
    </g>
  );
}

/** Widths of a sign of the sans type, in sizes: on the wide side. */
const SANS_SIGN = 0.56;

/** The size in which `words` fit into `room`, `sizeMax` at most. */
function fitting(sizeMax: number, words: string, room: number): number {
  return Math.min(sizeMax, room / (SANS_SIGN * words.length));
}

/** What the actor does, where it fits beside the name. */
function headWords(doing: string, kind: string, name: string, room: number): string {
  const fits = (words: string) => SANS_SIGN * (34 * (name.length + 1) + 28 * words.length) <= room;
  if (doing === '') return fits(kind) ? kind : '';
  return fits(doing) ? doing : '▶ next';
}

function itself(actor: string): string {
  return actor;
}

interface PlaceProps {
  readonly placed: PlacedPlace;
  readonly shape: string;
  readonly called: (actor: string) => string;
}

function Place({ placed, shape, called }: PlaceProps) {
  const { place, x, y, w, h } = placed;
  const words = place.name === 'main' ? 'main memory' : `${called(place.name)} memory`;
  const at = shape === 'wide' ? { x: x + 18, y: y + h / 2 + 9 } : { x: x + 12, y: y + 22 };
  return (
    <g className="place">
      <rect x={x} y={y} width={w} height={h} rx="8" />
      <text {...at} style={shape === 'wide' ? { fontSize: fitting(28, words, w * 0.52) } : {}}>
        {words}
      </text>
    </g>
  );
}

function Frame({ placed, shape }: { readonly placed: PlacedFrame; readonly shape: string }) {
  const { frame, x, y, w, h, valueSize } = placed;
  const { standing, kind, value } = frame;
  const other = standing === 'the page' ? 'the page' : 'old frame';
  const words = kind === 'zero' ? 'zero page' : other;
  const isWide = shape === 'wide';
  return (
    <g
      className={`frame ${kind} ${standing === 'the page' ? 'page' : 'left'}`}
      style={{ transform: `translate(${x}px, ${y}px)` }}
    >
      <rect width={w} height={h} rx="4" />
      {isWide ? (
        <>
          <text
            className="value end"
            x={w - 14}
            y={h / 2 + valueSize * 0.36}
            style={{ fontSize: valueSize }}
          >
            {value}
          </text>
          <text className="glyph" x={14} y={h / 2 + 11}>
            {GLYPHS[kind]}
          </text>
        </>
      ) : (
        <>
          <text className="words" x={12} y={Math.min(26, h * 0.36)}>
            {words}
          </text>
          <text
            className="value"
            x={12}
            y={h - Math.max(6, h * 0.16)}
            style={{ fontSize: valueSize }}
          >
            {value}
          </text>
        </>
      )}
    </g>
  );
}

interface SweepProps {
  readonly sweep: Sweep;
  readonly swept: Box;
  readonly shape: string;
}

function SweepMark({ sweep, swept, shape }: SweepProps) {
  if (sweep === 'none') return null;
  const { x, y, w, h } = swept;
  const words = sweep === 'swept' ? 'invalidation: forget!' : 'no sweep came by here';
  if (shape === 'wide') {
    return (
      <g className={`sweep ${sweep}`}>
        <rect x={x} y={y} width={w} height={h} />
        <path d={`M${x} ${y + 14}V${y - 4}H${x + w}V${y + 14}`} pathLength="100" />
      </g>
    );
  }
  return (
    <g className={`sweep ${sweep}`}>
      <rect x={x} y={y} width={w} height={h} />
      <path d={`M${x - 2} ${y + 2}H${x - 18}V${y + h - 2}H${x - 2}`} pathLength="100" />
      <text x={x + 10} y={y - 8}>
        {words}
      </text>
    </g>
  );
}
