import { useState } from 'preact/hooks';
import { CPU_CALL_NAMES } from '../../../server/abi/cpu-calls.ts';
import type { Control, LabActorEntry } from '../../../server/protocol/http-api.ts';
import { hexAddress, pageIndex } from '../../../server/vocabulary/address.ts';
import type { SeenVma } from '../model/vmas.ts';
import { type VerbAsk, VerbButtons } from '../player/verb-button.tsx';

/** Kernel functions after which a device can be told to stand still. */
const DEVICE_PHASES = [
  'migrate_vma_setup',
  'migrate_vma_pages',
  'migrate_vma_finalize',
  'hmm_range_fault',
  'mmu_interval_read_begin',
];
const SLOW_MS = [0, 300, 1_000, 3_000];
/** What the next write writes: unlike zero, so that a stale zero shows. */
const FIRST_VALUE = 0x2a;

export interface ActorControlsProps {
  readonly actor: LabActorEntry;
  readonly act: (control: Control) => void;
  readonly disabled: boolean;
  readonly vmas: readonly SeenVma[];
}

/** One client: hold it after a phase, let it go on, slow it down, cut its connection, ask it to do something. */
export function ActorControls({ actor, act, disabled, vmas }: ActorControlsProps) {
  const { name, role, state, holding, slowMs } = actor;
  const phases = role === 'device' ? DEVICE_PHASES : CPU_CALL_NAMES;
  const [phase, setPhase] = useState(phases[0] ?? '');
  return (
    <div className="actor" data-actor={name}>
      <span className="row">
        <span className="name">
          {role === 'cpu' ? '▢' : '○'} {name}
        </span>
        {state === 'attached' ? null : <span className="chip warn">{state}</span>}
        {holding > 0 ? <span className="chip warn">❚❚ held</span> : null}
        {slowMs > 0 ? <span className="chip warn">slow, {slowMs} ms</span> : null}
      </span>
      <span className="acts" style={{ gridColumn: 'auto' }}>
        <button
          type="button"
          className={holding > 0 ? 'primary' : ''}
          disabled={disabled}
          onClick={() => act({ action: 'go', actor: name })}
        >
          Go
        </button>
      </span>
      <div className="acts">
        <label>
          <span className="unseen">Hold {name} after</span>
          <select
            value={phase}
            disabled={disabled}
            onChange={({ currentTarget }) => setPhase(currentTarget.value)}
          >
            {phases.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          disabled={disabled}
          onClick={() => act({ action: 'hold', actor: name, after: phase })}
          title={`${name} stands still after its next ${phase}`}
        >
          Hold after it
        </button>
      </div>
      <details className="acts">
        <summary>More for {name}</summary>
        <div className="acts">
          <label>
            <span className="unseen">Slow {name} down by</span>
            <select
              value={slowMs}
              disabled={disabled}
              onChange={({ currentTarget }) =>
                act({ action: 'slow', actor: name, ms: Number(currentTarget.value) })
              }
            >
              {[...new Set([...SLOW_MS, slowMs])].map((ms) => (
                <option key={ms} value={ms}>
                  {ms === 0 ? 'not slowed' : `slower by ${ms} ms`}
                </option>
              ))}
            </select>
          </label>
          <button
            type="button"
            disabled={disabled}
            onClick={() => act({ action: 'cut', actor: name })}
          >
            Cut
          </button>
        </div>
        <VerbsOnPage actor={actor} act={act} disabled={disabled} vmas={vmas} />
      </details>
    </div>
  );
}

/** Asks a client to do a verb of its own program on one page. */
function VerbsOnPage({ actor, act, disabled, vmas }: ActorControlsProps) {
  const first = vmas[0]?.first ?? 0x10_0200;
  const [offset, setOffset] = useState(0);
  const [value, setValue] = useState(FIRST_VALUE);
  const page = first + offset;
  const pages = vmas[0] === undefined ? 1 : vmas[0].end - vmas[0].first;
  const range = { first: page, end: page + 1 };
  const address = hexAddress(pageIndex(page));
  const hex = `0x${value.toString(16)}`;
  const asks: readonly VerbAsk[] =
    actor.role === 'device'
      ? [
          { label: 'Read', params: { verb: 'read', range } },
          { label: `Write ${hex}`, params: { verb: 'write', range, values: [hex] } },
          { label: 'Migrate here', params: { verb: 'migrate-to-dev', range } },
          { label: 'Migrate back', params: { verb: 'migrate-to-sys', range } },
        ]
      : [
          { label: 'Load', params: { verb: 'load', address } },
          { label: `Store ${hex}`, params: { verb: 'store', address, value: hex } },
          {
            label: 'Map 8 pages',
            params: { verb: 'mmap', address, pages: 8, prot: 'rw', kind: 'anon-private' },
          },
          { label: 'Unmap', params: { verb: 'munmap', address, pages } },
        ];
  return (
    <div className="acts">
      <label>
        <span className="unseen">Page for {actor.name}</span>
        <select
          value={offset}
          disabled={disabled}
          onChange={({ currentTarget }) => setOffset(Number(currentTarget.value))}
        >
          {Array.from({ length: Math.min(64, pages) }, (_, at) => (
            <option key={hexAddress(pageIndex(first + at))} value={at}>
              {hexAddress(pageIndex(first + at))}
            </option>
          ))}
        </select>
      </label>
      <VerbButtons
        asks={asks}
        disabled={disabled}
        onAsk={({ params }) => {
          act({ action: 'perform', actor: actor.name, verb: params });
          if ('values' in params || 'value' in params) setValue(value + 1);
        }}
      />
    </div>
  );
}
