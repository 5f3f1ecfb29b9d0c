import { LabView } from './lab/lab-view.tsx';
import { HomeView } from './lobby/home-view.tsx';
import { JoinView } from './lobby/join-view.tsx';
import { CpuView } from './player/cpu-view.tsx';
import { DeviceView } from './player/device-view.tsx';
import { ExploreView } from './run/explore-view.tsx';
import { RunView } from './run/run-view.tsx';
import { ErrorBoundary } from './shell/error-boundary.tsx';
import { Link } from './shell/link.tsx';
import { useRoute } from './shell/navigation.ts';
import { Toasts } from './shell/toasts.tsx';
import { TopBar } from './shell/top-bar.tsx';

export function App() {
  return (
    <>
      <ErrorBoundary>
        <View />
      </ErrorBoundary>
      <Toasts />
    </>
  );
}

function View() {
  const route = useRoute();
  switch (route.view) {
    case 'home':
      return <HomeView />;
    case 'join':
      return <JoinView key={route.code} code={route.code} />;
    case 'lab':
      return <LabView key={route.lab} lab={route.lab} event={route.event} hand={route.hand} />;
    case 'device':
      return <DeviceView key={route.actor} lab={route.lab} actor={route.actor} />;
    case 'cpu':
      return <CpuView key={route.actor} lab={route.lab} actor={route.actor} />;
    case 'explore':
      return <ExploreView question={route.question} />;
    case 'run':
      return <RunView id={route.id} question={route.question} event={route.event} />;
    case 'unknown':
      return <NoView path={route.path} />;
  }
}

function NoView({ path }: { readonly path: string }) {
  return (
    <div className="page">
      <TopBar />
      <main className="content stack">
        <h1>Nothing is at this address</h1>
        <p className="lead mono">{path}</p>
        <p>
          <Link to={{ view: 'home' }} className="button primary">
            To the list of labs
          </Link>
        </p>
      </main>
    </div>
  );
}
