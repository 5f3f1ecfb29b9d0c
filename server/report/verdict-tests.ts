import type { Event } from '../abi/event.ts';
import { drawn, raceDiagram } from './diagram.ts';
import type { KtapGroup, KtapOutcome } from './ktap.ts';
import type { ReportMeta } from './report-meta.ts';

/** One run of a scenario, as its properties: a campaign is a group of these. */
export function scenarioTests(events: readonly Event[], meta: ReportMeta): KtapGroup {
  const { name, patch, verdict, seen, bound, reproduce, properties } = meta;
  const own = properties.map((property) => ({ ...property, diagnostics: [] }));
  const diagnostics = [
    `${verdict}: ${seen}`,
    `bound: ${bound}`,
    ...(meta.lockOrder ?? []).map((breach) => `warning: ${breach}`),
    ...(reproduce === 'none' ? [] : [`reproduce: ${reproduce}`]),
    ...(verdict === 'broken' ? raceDiagram(events, drawn(meta)).split('\n') : []),
  ];
  // The verdict stands by itself: a search may be cut off though nothing that it has seen so far is wrong.
  const answer = { name: 'verdict', outcome: OUTCOMES[verdict], reason: '', diagnostics: [] };
  const reason = verdict === 'holds' ? '' : seen;
  return {
    name: patch === 'stock' ? name : `${name} with ${patch}`,
    subtests: [...own, { ...answer, reason }],
    diagnostics,
  };
}

const OUTCOMES: { readonly [Verdict in ReportMeta['verdict']]: KtapOutcome } = {
  holds: 'pass',
  broken: 'fail',
  unknown: 'error',
};
