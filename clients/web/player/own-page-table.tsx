import { hexAddress, pageIndex } from '../../../server/vocabulary/address.ts';
import type { DeviceEntry } from '../../agents/hand-verbs.ts';
import { faceWords, mirrorFace } from '../memory/cell-face.ts';
import { coherenceOf } from '../model/coherence.ts';
import type { LabModel } from '../model/lab-model.ts';
import type { PlayedClient } from './player.ts';

export interface OwnPageTableProps {
  readonly player: PlayedClient;
  readonly model: LabModel;
  readonly actor: string;
}

/** What the device itself has mapped, beside whether the CPU page table agrees. */
export function OwnPageTable({ player, model, actor }: OwnPageTableProps) {
  return (
    <section aria-label="My page table">
      <h2>My page table</h2>
      {player.table.size === 0 ? (
        <p className="quiet">Empty: the next access faults.</p>
      ) : (
        <div className="table-frame">
          <table className="table mono">
            <thead>
              <tr>
                <th scope="col">page</th>
                <th scope="col">frame</th>
                <th scope="col">is it right?</th>
              </tr>
            </thead>
            <tbody>
              {[...player.table.values()].map((entry) => (
                <tr key={entry.page}>
                  <th scope="row">{hexAddress(pageIndex(entry.page))}</th>
                  <td>{entryWords(entry)}</td>
                  <td>{coherenceWords(coherenceOf(model, actor, entry.page))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

export function entryWords({ pfn, access, memory }: DeviceEntry): string {
  if (memory === 'private') {
    const rights = access === 'read' ? 'r' : 'rw';
    return `my own frame 0x${pfn.toString(16)} (${rights})`;
  }
  return faceWords(mirrorFace({ state: 'mapped', pfn, access }, undefined));
}

function coherenceWords(coherence: ReturnType<typeof coherenceOf>): string {
  const words = {
    none: '',
    agrees: 'yes',
    'in-flight': 'being invalidated',
    migrating: 'I migrate it',
    stale: '✕ STALE',
  };
  return words[coherence];
}
