/** The schemas as compiled checks: one a method, made once when the first value is checked. */
import type { Type } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { explain, type Mismatch } from './explain.ts';
import { briefly, partOf } from './found-value.ts';

export interface Check {
  readonly schema: Type.TSchema;
  readonly accepts: (value: unknown) => boolean;
}

export interface MethodChecks<Spec> {
  readonly method: string;
  readonly spec: Spec;
  readonly params: Check;
  /** Accepts everything for a notification. */
  readonly result: Check;
}

interface AnySpec {
  readonly params: Type.TSchema;
  readonly result?: Type.TSchema;
}

/** Compiling all of them takes longer than anything else a program does that starts, and most are never asked. */
export function compileCheck(schema: Type.TSchema): Check {
  let validator: Validator | 'not yet' = 'not yet';
  return {
    schema,
    accepts: (value) => {
      if (validator === 'not yet') validator = Compile(schema);
      return validator.Check(value);
    },
  };
}

/** A map, so that a method name such as `constructor` finds nothing. */
export function compileMethods<Spec extends AnySpec>(table: {
  readonly [method: string]: Spec;
}): ReadonlyMap<string, MethodChecks<Spec>> {
  const checks = new Map<string, MethodChecks<Spec>>();
  for (const [method, spec] of Object.entries(table)) {
    const params = compileCheck(spec.params);
    const result =
      spec.result === undefined ? { schema: {}, accepts: () => true } : compileCheck(spec.result);
    checks.set(method, { method, spec, params, result });
  }
  return checks;
}

/** Why `value`, which is called `path`, is not accepted. Call it only after `accepts` said no. */
export function firstError(check: Check, value: unknown, path: string): Mismatch {
  const found = explain(check.schema, value, path);
  return found === 'none' ? { path, bound: 'a value that fits its schema' } : found;
}

/** The same, with what is there instead. */
export function firstErrorInFull(
  check: Check,
  value: unknown,
  path: string,
): Mismatch & { readonly found: string } {
  const wrong = firstError(check, value, path);
  return { ...wrong, found: briefly(partOf(value, wrong.path.slice(path.length))) };
}
