import { useState } from 'preact/hooks';
import {
  type CatalogueReport,
  cellsByOperations,
  MATRIX_LETTERS,
  type MatrixCell,
} from '../../../server/report/catalogue.ts';
import { operationsOf } from './read-report.ts';
import './matrix.css';

const WORDS = Object.keys(MATRIX_LETTERS) as MatrixCell['verdict'][];

/** A row for each operation: alone, then with each that comes before it or is the same. */
export function MatrixTable({ report }: { readonly report: Pick<CatalogueReport, 'matrix'> }) {
  const operations = operationsOf(report);
  const cellOf = cellsByOperations(report.matrix);
  const [shown, setShown] = useState<MatrixCell | 'none'>('none');
  return (
    <section className="stack" aria-label="Operations against operations">
      <p className="row small">
        {WORDS.map((word) => (
          <span key={word} className={`cell-word ${classOf(word)}`}>
            {MATRIX_LETTERS[word].trim() === '' ? 'blank' : MATRIX_LETTERS[word]} {word}
          </span>
        ))}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard. */}
      <section className="matrix-frame" aria-label="The matrix" tabIndex={0}>
        <table className="matrix">
          <thead>
            <tr>
              <th scope="col">operation</th>
              <th scope="col">alone</th>
              {operations.map((name) => (
                <th key={name} scope="col" className="upright">
                  <span>{name}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {operations.map((name, row) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <Cell cell={cellOf([name])} name={name} onShow={setShown} />
                {operations.slice(0, row + 1).map((other) => (
                  <Cell
                    key={other}
                    cell={cellOf([other, name])}
                    name={`${other} with ${name}`}
                    onShow={setShown}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p aria-live="polite">{shown === 'none' ? 'Choose a cell.' : sentenceOf(shown)}</p>
    </section>
  );
}

interface CellProps {
  readonly cell: MatrixCell | undefined;
  readonly name: string;
  readonly onShow: (cell: MatrixCell) => void;
}

function Cell({ cell, name, onShow }: CellProps) {
  if (cell === undefined) return <td />;
  return (
    <td>
      <button
        type="button"
        className={classOf(cell.verdict)}
        aria-label={`${name}: ${cell.verdict}`}
        onClick={() => onShow(cell)}
      >
        {MATRIX_LETTERS[cell.verdict]}
      </button>
    </td>
  );
}

function classOf(word: MatrixCell['verdict']): string {
  return `cell-${word.replace(' ', '-')}`;
}

function sentenceOf({ operations, asked, shapes, reached, counts }: MatrixCell): string {
  const came = Object.entries(counts).filter(([, count]) => count > 0);
  const words = came.map(([word, count]) => `${word} ${count}`).join(', ');
  const tried = `${asked} of ${shapes} shapes asked, ${reached} reach what differs`;
  return `${operations.join(' with ')}: ${tried}; ${words === '' ? 'nothing known' : words}.`;
}
