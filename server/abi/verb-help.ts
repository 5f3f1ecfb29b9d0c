/** What the prompt says of an operation. */
export interface VerbHelp {
  /** Heading. */
  readonly group: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** Lines that can be typed. */
  readonly examples: readonly string[];
  /** More to know, in whole sentences. */
  readonly more?: string;
  /** The words that stand in for a parameter that is left out, where they are not the usual ones. */
  readonly defaults?: { readonly [param: string]: string };
  /** What an errno means for this operation, where the general sentence does not say it. */
  readonly errors?: { readonly [errno: string]: string };
}
