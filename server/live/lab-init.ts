/** How a lab begins: new, or where an earlier server left it. */
import { EMPTY_SCENE, type Scene } from './scene.ts';

export interface LabInit {
  readonly scene: Scene;
  /** 'restored': with the `generation` that it has then, and to be led to where it was: see lab-replay.ts. */
  readonly begins: 'new' | 'restored';
  readonly generation: number;
  readonly joinCode: string | 'new';
  readonly presenterToken: string | 'new';
}

export function newLabInit(scene: Scene = EMPTY_SCENE): LabInit {
  return { scene, begins: 'new', generation: 0, joinCode: 'new', presenterToken: 'new' };
}
