import { useState } from 'preact/hooks';
import { RECORDING_BYTES_MAX } from '../../../server/protocol/http-api.ts';
import { usePasted } from './use-pasted.ts';

/** With which the first line of a recording begins. */
const RECORDING_BEGINS = '{"format":"mmrace-';
const TOO_LONG = `more than ${RECORDING_BYTES_MAX / 1024 / 1024} MB: mmrace replay takes it.`;

export interface FileFieldProps {
  readonly onText: (text: string) => void;
}

/** A recording that is chosen, dropped here, or pasted. */
export function FileField({ onText }: FileFieldProps) {
  const [trouble, setTrouble] = useState('');
  const [over, setOver] = useState<'over' | 'not'>('not');
  const open = async (file: File | undefined) => {
    if (file === undefined) return;
    if (file.size > RECORDING_BYTES_MAX) {
      setTrouble(`${file.name} has ${TOO_LONG}`);
      return;
    }
    try {
      onText(await file.text());
    } catch {
      setTrouble(`${file.name} cannot be read.`);
    }
  };
  usePasted(RECORDING_BEGINS, (text) => {
    if (text.length > RECORDING_BYTES_MAX) setTrouble(`What was pasted has ${TOO_LONG}`);
    // A last line without an end is what a crash leaves, and left out.
    else onText(text.endsWith('\n') ? text : `${text}\n`);
  });
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
      <span className="label">
        A recording of a lab (.jsonl): choose it, drop it here, or paste it
      </span>
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
