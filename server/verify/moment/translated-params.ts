/** What a client sends, said in the numbers of another run. */
import type { DeviceNotificationParams } from '../../protocol/client-notifications.ts';
import type { Translation } from './translation.ts';

/** What a client knows that its frames carry. */
export interface KnownNow {
  readonly translation: Translation;
  /** Of its subscription. */
  readonly sequence: number;
  /** What the last mmu_interval_read_begin answered. */
  readonly begun: number;
}

/** The parameters of a request or notification of then, in the numbers of now. */
export function translatedParams(method: string, params: unknown, known: KnownNow): unknown {
  const given = params as { readonly [name: string]: unknown };
  const { translation: t, sequence, begun } = known;
  const frames = (list: unknown) => (list as number[]).map((pfn) => t.frame(pfn));
  switch (method) {
    case 'mmu_interval_read_begin':
      return {
        subscription: t.handle(given.subscription as number),
        invalidate_seq: sequence,
      };
    case 'hmm_range_fault':
      return {
        ...given,
        subscription: t.handle(given.subscription as number),
        notifier_seq: begun,
      };
    case 'hmm_range_fault_unlocked':
      return {
        ...given,
        subscription: t.handle(given.subscription as number),
        invalidate_seq: sequence,
      };
    case 'mmu_interval_notifier_remove':
      return { subscription: t.handle(given.subscription as number) };
    case 'migrate_vma_setup': {
      const { fault_page: page } = given;
      return { ...given, fault_page: typeof page === 'number' ? t.frame(page) : page };
    }
    case 'migrate_vma_pages':
    case 'migrate_device_pages':
      return {
        migrate: t.handle(given.migrate as number),
        dst: (given.dst as number[]).map((entry) => t.packed(entry)),
      };
    case 'migrate_vma_finalize':
    case 'migrate_device_finalize':
      return { migrate: t.handle(given.migrate as number) };
    case 'unlock_and_put_pages':
      return { frames: frames(given.frames) };
    case 'put_device_page':
      return { pfn: t.frame(given.pfn as number) };
    case 'dma_read':
    case 'dma_write': {
      const targets = given.targets as { page: number; pfn: number }[];
      return { targets: targets.map(({ page, pfn }) => ({ page, pfn: t.frame(pfn) })) };
    }
    case 'mirror_changed': {
      const { changes } = params as DeviceNotificationParams['mirror_changed'];
      return {
        changes: changes.map(({ page, entry }) => ({
          page,
          entry: entry.state === 'none' ? entry : { ...entry, pfn: t.frame(entry.pfn) },
        })),
      };
    }
    default:
      return params;
  }
}
