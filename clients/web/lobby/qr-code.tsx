import { useMemo } from 'preact/hooks';
import { encode } from 'uqr';

/** Squares around the code that scanners want to be empty. */
const BORDER = 2;

/** A link as a picture that phones read. Dark on white in every theme. */
export function QrCode({ text }: { readonly text: string }) {
  const { size, path } = useMemo(() => {
    const { size: squares, data } = encode(text, { border: BORDER });
    return { size: squares, path: darkSquares(data) };
  }, [text]);
  return (
    <div className="qr">
      <svg
        viewBox={`0 0 ${size} ${size}`}
        role="img"
        aria-label={`QR code of ${text}`}
        shapeRendering="crispEdges"
      >
        <path d={path} fill="#000000" />
      </svg>
    </div>
  );
}

function darkSquares(rows: readonly (readonly boolean[])[]): string {
  return rows
    .flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])))
    .join('');
}
