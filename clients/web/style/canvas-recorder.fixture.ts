/** A pen for tests, that notes what it is asked to draw. */
import type { Pen } from './pen.ts';

export interface CanvasRecorder {
  readonly pen: Pen;
  readonly texts: { readonly text: string; readonly x: number; readonly y: number }[];
  readonly lines: { readonly x: number; readonly y: number }[];
  /** Calls of all kinds. */
  strokes: number;
}

export function newCanvasRecorder(): CanvasRecorder {
  const recorder: CanvasRecorder = {
    pen: undefined as unknown as Pen,
    texts: [],
    lines: [],
    strokes: 0,
  };
  const count = () => {
    recorder.strokes += 1;
  };
  const pen: Pen = {
    fillStyle: '',
    strokeStyle: '',
    lineWidth: 1,
    font: '',
    textAlign: 'left',
    textBaseline: 'middle',
    globalAlpha: 1,
    fillRect: count,
    clearRect: count,
    strokeRect: count,
    fillText: (text, x, y) => {
      count();
      recorder.texts.push({ text, x, y });
    },
    beginPath: count,
    closePath: count,
    moveTo: count,
    lineTo: (x, y) => {
      count();
      recorder.lines.push({ x, y });
    },
    arc: count,
    rect: count,
    clip: count,
    fill: count,
    stroke: count,
    save: count,
    restore: count,
    setLineDash: count,
    setTransform: count,
  };
  return Object.assign(recorder, { pen });
}
