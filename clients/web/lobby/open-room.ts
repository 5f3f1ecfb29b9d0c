import type { NewLab } from '../../../server/protocol/http-api.ts';
import { serverApi } from '../server-api.ts';
import { keepPresenterToken } from '../shell/memory.ts';
import { goTo } from '../shell/navigation.ts';

/** A lab that is locked to who opens it, and its console. Rejects: RequestFailed. */
export async function openRoom(lab: NewLab): Promise<void> {
  const { lab: opened, presenterToken } = await serverApi.openLab(lab);
  keepPresenterToken(opened.name, presenterToken);
  await serverApi.control(opened.name, { action: 'lock' }, presenterToken);
  goTo({ view: 'console', lab: opened.name });
}
