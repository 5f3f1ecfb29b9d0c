/** `a+2`: a page by the name of a vma and an offset. */
import { type PageIndex, type PageRange, pageIndex, pagesFrom } from '../vocabulary/address.ts';
import type { Scenario, ScenarioVma } from './scenario-schema.ts';

const PAGE_SIZE = 4096;

export function firstPageOf(vma: ScenarioVma): PageIndex {
  return pageIndex(vma.address / PAGE_SIZE);
}

export function rangeOfVma(vma: ScenarioVma): PageRange {
  return pagesFrom(firstPageOf(vma), vma.pages);
}

export interface VmaPlace {
  readonly vma: ScenarioVma;
  /** Pages into the vma. */
  readonly offset: number;
}

/** 'unknown' for a name that no vma has. The offset may lie outside the vma. */
export function findPlace(scenario: Scenario, text: string): VmaPlace | 'unknown' {
  const [name, offset] = text.split('+');
  const vma = scenario.vmas.find((one) => one.name === name);
  return vma === undefined ? 'unknown' : { vma, offset: Number(offset ?? 0) };
}

/** `text` must be a place of the scenario; check-scenario.ts sees to that. */
export function pageOfPlace(scenario: Scenario, text: string): PageIndex {
  const place = findPlace(scenario, text);
  if (place === 'unknown') throw new RangeError(`no vma is called ${text}`);
  return pageIndex(firstPageOf(place.vma) + place.offset);
}
