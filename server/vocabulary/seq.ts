import type { Brand } from './brand.ts';

/** An mmu_notifier sequence number: odd while some range of the mm is being invalidated. */
export type Seq = Brand<number, 'Seq'>;

export function seq(value: number): Seq {
  return value as Seq;
}

export function isOdd(value: Seq): boolean {
  return value % 2 === 1;
}
