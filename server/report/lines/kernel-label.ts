/** `stock 6.12`, `remove-second-invalidate on 6.1, driver map-losers`: the kernel that ran, for people. */
export function kernelLabel(ran: { readonly kernel: string; readonly patch: string }): string {
  const at = ran.patch.indexOf(', driver ');
  const [patch, drivers] = at < 0 ? [ran.patch, ''] : [ran.patch.slice(0, at), ran.patch.slice(at)];
  const kernel = patch === 'stock' ? `stock ${ran.kernel}` : `${patch} on ${ran.kernel}`;
  return `${kernel}${drivers}`;
}
