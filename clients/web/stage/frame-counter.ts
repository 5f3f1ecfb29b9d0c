/** How long frames take, for the benchmark: it reads `mmraceFrames` in the page. Off until somebody asks. */
const FRAMES_KEPT_MAX = 100_000;

declare global {
  /** Milliseconds from frame to frame, while it is there. */
  var mmraceFrames: number[] | undefined;
}

let before = 0;

export function countFrame(now: number): void {
  const frames = globalThis.mmraceFrames;
  if (frames !== undefined && now !== before && before > 0 && frames.length < FRAMES_KEPT_MAX) {
    frames.push(now - before);
  }
  before = now;
}
