import { lazy, Suspense } from 'preact/compat';
import { BreakView } from './break/break-view.tsx';
import { StepView } from './break/step-view.tsx';
import { HomeView } from './home/home-view.tsx';
import { LabDoor } from './lab/lab-door.tsx';
import type { Route } from './route.ts';
import { ErrorBoundary } from './shell/error-boundary.tsx';
import { Link } from './shell/link.tsx';
import { useRoute } from './shell/navigation.ts';
import { Toasts } from './shell/toasts.tsx';
import { TopBar } from './shell/top-bar.tsx';

// Each view comes when it is wanted: the first thing one sees does not wait for drivers and canvases.
const JoinView = lazy(async () => ({ default: (await import('./lobby/join-view.tsx')).JoinView }));
const LabView = lazy(async () => ({ default: (await import('./lab/lab-view.tsx')).LabView }));
const StageView = lazy(async () => ({
  default: (await import('./room/stage-view.tsx')).StageView,
}));
const ConsoleView = lazy(async () => ({
  default: (await import('./room/console-view.tsx')).ConsoleView,
}));
const DeviceView = lazy(async () => ({
  default: (await import('./player/device-view.tsx')).DeviceView,
}));
const CpuView = lazy(async () => ({ default: (await import('./player/cpu-view.tsx')).CpuView }));
const ExploreView = lazy(async () => ({
  default: (await import('./run/explore-view.tsx')).ExploreView,
}));
const MatrixView = lazy(async () => ({
  default: (await import('./matrix/matrix-view.tsx')).MatrixView,
}));
const CampaignsView = lazy(async () => ({
  default: (await import('./campaign/campaigns-view.tsx')).CampaignsView,
}));
const CampaignView = lazy(async () => ({
  default: (await import('./campaign/campaign-view.tsx')).CampaignView,
}));
const RecordingView = lazy(async () => ({
  default: (await import('./recording/recording-view.tsx')).RecordingView,
}));
const RunView = lazy(async () => ({ default: (await import('./run/run-view.tsx')).RunView }));

export function App() {
  return (
    <>
      <ErrorBoundary>
        <Suspense fallback={null}>
          <View />
        </Suspense>
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
    case 'stage':
    case 'console':
    case 'device':
    case 'cpu':
      return (
        <LabDoor key={route.lab} lab={route.lab}>
          <InLab route={route} />
        </LabDoor>
      );
    case 'break':
      return <BreakView level={route.level} moves={route.moves} room={route.room} />;
    case 'step':
      return <StepView level={route.level} moves={route.moves} at={route.at} />;
    case 'explore':
      return <ExploreView question={route.question} />;
    case 'run':
      return <RunView id={route.id} question={route.question} event={route.event} />;
    case 'matrix':
      return <MatrixView />;
    case 'campaigns':
      return <CampaignsView />;
    case 'campaign':
      return <CampaignView key={route.id} id={route.id} />;
    case 'recording':
      return <RecordingView />;
    case 'unknown':
      return <NoView path={route.path} />;
  }
}

function InLab({ route }: { readonly route: Extract<Route, { readonly lab: string }> }) {
  switch (route.view) {
    case 'lab':
      return <LabView key={route.lab} lab={route.lab} event={route.event} hand={route.hand} />;
    case 'stage':
      return <StageView key={route.lab} lab={route.lab} />;
    case 'console':
      return <ConsoleView key={route.lab} lab={route.lab} />;
    case 'device':
      return <DeviceView key={route.lab} lab={route.lab} actor={route.actor} />;
    case 'cpu':
      return <CpuView key={route.lab} lab={route.lab} actor={route.actor} />;
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
