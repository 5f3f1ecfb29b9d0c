/** How a lab begins: new, or where an earlier server left it. */
import type { Inbound } from '../machine/remote/inbound.ts';
import { EMPTY_SCENE, type Scene } from './scene.ts';

export interface LabBeginning {
  readonly scene: Scene;
  /** What its first machine takes in place of the scene's setup; 'none' for a new lab. */
  readonly past: readonly Inbound[] | 'none';
  readonly joinCode: string | 'new';
  readonly presenterToken: string | 'new';
}

export function newBeginning(scene: Scene = EMPTY_SCENE): LabBeginning {
  return { scene, past: 'none', joinCode: 'new', presenterToken: 'new' };
}
