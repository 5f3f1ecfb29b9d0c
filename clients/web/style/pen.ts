/** The part of a 2D canvas that we draw with, so that a test can draw on paper of its own. */
export type Pen = Pick<
  CanvasRenderingContext2D,
  | 'fillRect'
  | 'clearRect'
  | 'strokeRect'
  | 'fillText'
  | 'beginPath'
  | 'closePath'
  | 'moveTo'
  | 'lineTo'
  | 'arc'
  | 'rect'
  | 'clip'
  | 'fill'
  | 'stroke'
  | 'save'
  | 'restore'
  | 'setLineDash'
  | 'setTransform'
> & {
  fillStyle: string | CanvasGradient | CanvasPattern;
  strokeStyle: string | CanvasGradient | CanvasPattern;
  lineWidth: number;
  font: string;
  textAlign: CanvasTextAlign;
  textBaseline: CanvasTextBaseline;
  globalAlpha: number;
};

export const MONO = 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace';
export const SANS = 'system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';

/** Of the width of a sign of MONO to the type size. */
export const MONO_ADVANCE = 0.602;

/** `text` cut to `width` pixels of MONO at `size`, with an ellipsis where something is left out. */
export function fitted(text: string, width: number, size: number): string {
  const signs = Math.floor(width / (size * MONO_ADVANCE));
  if (text.length <= signs) return text;
  return signs < 2 ? '' : `${text.slice(0, signs - 1)}…`;
}
