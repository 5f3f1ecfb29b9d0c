import type { ReportedShape } from '../../../server/report/catalogue.ts';

/** Shapes that are written out; the report has all. */
const SHOWN_MAX = 20;

export function ReportedShapes(props: {
  readonly title: string;
  readonly shapes: readonly ReportedShape[];
}) {
  const { title, shapes } = props;
  if (shapes.length === 0) return null;
  const more = shapes.length - SHOWN_MAX;
  return (
    <section className="stack">
      <h2>{title}</h2>
      <ul>
        {shapes.slice(0, SHOWN_MAX).map(({ name, why }) => (
          <li key={name}>
            <code>{name}</code> {why}
          </li>
        ))}
      </ul>
      {more > 0 ? <p className="quiet">and {more.toLocaleString('en')} more</p> : null}
    </section>
  );
}
