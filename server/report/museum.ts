/** docs/MUSEUM.md: the races that were there, each with the scenario that shows it, or why there is none. */

/** A race of the catalogue: scenarios/museum/races.jsonl. */
export interface MuseumRace {
  /** From 1; hypotheses are H1 to H8. */
  readonly race: number | string;
  readonly name: string;
  /** Why no scenario shows it: what the machine lacks. With a scenario: what of the race that one leaves out. */
  readonly missing?: string;
}

/** A scenario that shows a race. */
export interface Exhibit {
  readonly museum: number | string;
  readonly name: string;
  readonly title: string;
  readonly provenance: string;
  readonly story?: string;
  readonly affects?: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly expect: {
    readonly patches?: { readonly [id: string]: string };
    readonly drivers?: { readonly [id: string]: string };
  };
}

/** In the order of the catalogue, and within a race by name. */
export function museumDocument(races: readonly MuseumRace[], exhibits: readonly Exhibit[]): string {
  const shown = races.map((race) => ({
    race,
    here: exhibits.filter(({ museum }) => museum === race.race),
  }));
  const present = shown.filter(({ here }) => here.length > 0);
  const numbered = present.filter(({ race }) => typeof race.race === 'number').length;
  const all = races.filter(({ race }) => typeof race === 'number').length;
  const absent = shown.filter(({ here }) => here.length === 0);
  return `${[
    '# The museum',
    '',
    'Races of the HMM world that were reported, fixed or proposed, each as a scenario: `broken` with the patch that',
    `puts the mistake back or with the driver that makes it, \`holds\` without. ${numbered} of ${all} are here; what`,
    'the others lack stands below. H1 to H8 are hypotheses: read out of the source, reported by nobody.',
    '',
    '```',
    'npx mmrace test scenarios scenarios/museum                   # every verdict of these tables, searched to its end',
    'npx mmrace explore retry-ignored --driver skip-retry          # one of them, with its diagram',
    '```',
    '',
    'Made by `npm run docs` of the scenario files and of `scenarios/museum/races.jsonl`.',
    '',
    '| | Race | What happens | Broken with | Holds with | Kernels | Scenario |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...present.flatMap(({ race, here }) => here.map((one) => rowOf(race, one))),
    '',
    '## Not here',
    '',
    '| | Race | What is missing |',
    '| --- | --- | --- |',
    ...absent.map(({ race: { race, name, missing = '' } }) => `| ${race} | ${name} | ${missing} |`),
    '',
    '## The stories',
    ...present.flatMap(({ race, here }) => storiesOf(race, here)),
  ].join('\n')}\n`;
}

function rowOf({ race, name }: MuseumRace, exhibit: Exhibit): string {
  const { title, affects = '', file } = exhibit;
  const cells = [race, name, title, words(exhibit, 'broken'), words(exhibit, 'holds'), affects];
  return `| ${cells.join(' | ')} | [${exhibit.name}](../${file}) |`;
}

/** Patches and drivers with which it is expected to be so. */
function words({ expect: { patches = {}, drivers = {} } }: Exhibit, verdict: string): string {
  const having = (expected: { readonly [id: string]: string }) =>
    Object.entries(expected).flatMap(([id, word]) => (word === verdict ? [id] : []));
  const kernels = having(patches).map((id) => (id === 'stock' ? 'stock' : `patch \`${id}\``));
  return [...kernels, ...having(drivers).map((id) => `driver \`${id}\``)].join(', ');
}

function storiesOf({ race, name, missing }: MuseumRace, here: readonly Exhibit[]): string[] {
  return [
    '',
    `### ${race}. ${name}`,
    ...here.flatMap(({ name: scenario, story, provenance }) => [
      '',
      ...(story === undefined ? [] : [oneLine(story), '']),
      `*${scenario}*, from ${oneLine(provenance)}`,
    ]),
    ...(missing === undefined ? [] : ['', `Left out: ${missing}`]),
  ];
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}
