import { useState } from 'preact/hooks';
import { RECORDING_BYTES_MAX } from '../../../server/protocol/http-api.ts';

export interface FileFieldProps {
  readonly onText: (text: string) => void;
}

/** A recording that is chosen, or dropped here. */
export function FileField({ onText }: FileFieldProps) {
  const [trouble, setTrouble] = useState('');
  const [over, setOver] = useState<'over' | 'not'>('not');
  const open = async (file: File | undefined) => {
    if (file === undefined) return;
    if (file.size > RECORDING_BYTES_MAX) {
      const megabytes = RECORDING_BYTES_MAX / 1024 / 1024;
      setTrouble(`${file.name} has more than ${megabytes} MB: mmrace replay takes it.`);
      return;
    }
    try {
      onText(await file.text());
    } catch {
      setTrouble(`${file.name} cannot be read.`);
    }
  };
  return (
    <label
      className={over === 'over' ? 'card drop over' : 'card drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver('over');
      }}
      onDragLeave={() => setOver('not')}
      onDrop={(event) => {
        event.preventDefault();
        setOver('not');
        open(event.dataTransfer?.files[0]).catch(() => undefined);
      }}
    >
      <span className="label">A recording of a lab (.jsonl): choose it, or drop it here</span>
      <input
        type="file"
        accept=".jsonl"
        onChange={({ currentTarget: { files } }) => {
          open(files?.[0]).catch(() => undefined);
        }}
      />
      {trouble === '' ? null : (
        <span className="note alarm" role="alert">
          {trouble}
        </span>
      )}
    </label>
  );
}
