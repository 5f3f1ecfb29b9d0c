/** Other servers that have labs of the same house. */
export type Whereabouts =
  /** It is to be looked for, or opened, here. */
  | { readonly state: 'here' }
  | { readonly state: 'unknown' }
  /** Its server is gone, or it is being led to where it was: in a moment a server has it. */
  | { readonly state: 'restoring' }
  /** `address` is that of its server, as clients reach it: `http://10.0.0.2:7070`. */
  | { readonly state: 'elsewhere'; readonly address: string }
  /** Nobody can say at this moment. */
  | { readonly state: 'stalled' };

export interface LabElsewhere {
  readonly name: string;
  /** Its join code. */
  readonly code: string;
  /** As in Whereabouts. */
  readonly address: string;
}

export interface Elsewhere {
  /** Where a lab is that is not here. With 'create' one that nobody has is this server's from now on, to be opened. */
  find(nameOrCode: string, create: 'create' | 'never'): Promise<Whereabouts>;
  /** What find() has made this server's was not opened after all. */
  notOpened(lab: string): void;
  /** What the others have. Empty while nobody can say. */
  labs(): Promise<readonly LabElsewhere[]>;
  /** The addresses of the others. */
  addresses(): readonly string[];
  /** Why labs stand still; 'none' if they go. */
  stalled(): string | 'none';
}

/** A server that has no others. */
export const ALONE: Elsewhere = {
  find: async () => ({ state: 'here' }),
  notOpened: () => undefined,
  labs: async () => [],
  addresses: () => [],
  stalled: () => 'none',
};
