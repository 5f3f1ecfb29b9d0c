/** The parameters of the tables of calls and verbs, in the words of a format of its own: scenarios, traces. */
import type { Type } from 'typebox';

/** By parameter: the fields that stand in its place. Parameters without an entry are said as they are. */
export interface FieldTranslation {
  readonly [param: string]: Type.TProperties;
}

type FieldsOf<Params extends Type.TProperties, Map> = {
  [Param in keyof Params & string]: Param extends keyof Map
    ? Map[Param]
    : { readonly [Name in Param]: Params[Param] };
}[keyof Params & string];

/** An object that has the fields of all members of the union. */
type Joined<Union> = (Union extends unknown ? (member: Union) => void : never) extends (
  joined: infer All,
) => void
  ? All
  : never;

/** What is said in the place of `Params`, as a type. */
export type Translated<Params extends Type.TProperties, Map> = keyof Params extends never
  ? unknown
  : Joined<FieldsOf<Params, Map>> extends infer Fields extends Type.TProperties
    ? Type.Static<Type.TObject<Fields>>
    : never;

export function translatedFields(
  params: Type.TObject,
  translation: FieldTranslation,
): Type.TProperties {
  const fields = Object.entries(params.properties).map(
    ([param, schema]) => translation[param] ?? { [param]: schema },
  );
  return Object.assign({}, ...fields);
}
