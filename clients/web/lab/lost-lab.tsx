import { Link } from '../shell/link.tsx';
import { TopBar } from '../shell/top-bar.tsx';

/** A lab that is not there, or not for us. */
export function LostLab({ lab, why }: { readonly lab: string; readonly why: string }) {
  return (
    <div className="page">
      <TopBar />
      <main className="content stack">
        <h1>No way into {lab}</h1>
        <p className="lead">{why}</p>
        <p>
          <Link to={{ view: 'home' }} className="button primary">
            To the list of labs
          </Link>
        </p>
      </main>
    </div>
  );
}
