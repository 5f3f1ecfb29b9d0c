import type { DriverVariant } from '../interface/driver-variant.ts';
import { mlx5With } from '../mlx5/mlx5-odp.ts';
import { dropMappings, freeRegions, revokeKey, underUmemMutex } from '../mlx5/umem-odp.ts';

/** Race 41: between the two the callback zaps translations of a key that is revoked. */
export const mlx5RevokesUnlocked: DriverVariant = {
  id: 'mlx5-revokes-unlocked',
  provenance:
    'mlx5 until abb604a1a9c8 "RDMA/mlx5: Fix a race for an ODP MR which leads to CQE with error" (6.14, ' +
    'CVE-2025-21732)',
  summary: 'revokes the memory key before it takes umem_mutex',
  newDevice: (options) =>
    mlx5With(options, {
      *revoke(odp) {
        yield* revokeKey(odp);
        yield* underUmemMutex(odp, 'mlx5_ib_free_odp_mr.lock', () => dropMappings(odp));
        return yield* freeRegions(odp);
      },
    }),
};
