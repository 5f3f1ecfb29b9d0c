/** A number (or string) that cannot be confused with another of the same base type. Costs nothing at run time. */
export type Brand<Base, Name extends string> = Base & { readonly __brand: Name };
