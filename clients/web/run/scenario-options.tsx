import type { ScenarioEntry } from '../../../server/protocol/http-api.ts';

/** The scenarios to choose from: the museum by its numbers, then the others. */
export function ScenarioOptions({ scenarios }: { readonly scenarios: readonly ScenarioEntry[] }) {
  const others = scenarios.filter(({ museum }) => museum === undefined);
  return (
    <>
      <optgroup label="The museum: races that were there">
        {museumOf(scenarios).map(({ name, museum }) => (
          <option key={name} value={name}>
            {museum}. {name}
          </option>
        ))}
      </optgroup>
      <optgroup label="Others">
        {others.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </optgroup>
    </>
  );
}

/** Races by number, then the hypotheses. */
function museumOf(scenarios: readonly ScenarioEntry[]): ScenarioEntry[] {
  return scenarios
    .filter(({ museum }) => museum !== undefined)
    .toSorted((a, b) => placeOf(a) - placeOf(b));
}

function placeOf({ museum = 0 }: ScenarioEntry): number {
  return typeof museum === 'number' ? museum : 1_000 + Number(museum.slice(1));
}
