/** Which columns lead from one entity to another, found from the foreign keys of both. */

import { SpringhouseError } from "../core/errors.ts";
import type { Field } from "./field.ts";
import type { Model } from "./model.ts";

/** Rows belong together when their values of `from` and of `to` are the same, in this order. */
export interface Link {
  readonly from: readonly Field[];
  readonly to: readonly Field[];
}

interface Candidate extends Link {
  /** The properties that hold the foreign key: what `by` names. */
  readonly by: readonly string[];
}

/**
 * The link of a relation.
 *
 * @throws `INVALID_ARGUMENT` when there is none, or several and `by` does not choose.
 */
export function linkOf(
  source: Model,
  target: Model,
  kind: "one" | "many",
  by: string | readonly string[] | undefined,
): Link {
  const candidates = kind === "many" ? backward(source, target) : single(source, target);
  const wanted = typeof by === "string" ? [by] : by;
  const fitting =
    wanted === undefined ? candidates : candidates.filter((each) => isSameSet(each.by, wanted));
  const [first, second] = fitting;
  if (first === undefined) throw refused(source, target, kind, wanted, candidates);
  if (second === undefined || wanted !== undefined) return first;
  throw refused(source, target, kind, wanted, candidates);
}

/** What leads to at most one row: a foreign key of ours, or a unique one of theirs. */
function single(source: Model, target: Model): readonly Candidate[] {
  const unique = backward(source, target).filter(({ to }) => isUnique(target, to));
  return [...forward(source, target), ...unique];
}

function forward(source: Model, target: Model): readonly Candidate[] {
  return keysBetween(source, target).map(({ holder, referred }) => ({
    from: holder,
    to: referred,
    by: holder.map(({ property }) => property),
  }));
}

function backward(source: Model, target: Model): readonly Candidate[] {
  return keysBetween(target, source).map(({ holder, referred }) => ({
    from: referred,
    to: holder,
    by: holder.map(({ property }) => property),
  }));
}

/** The foreign keys of one entity to the other, a base's foreign keys and a base as target too. */
function keysBetween(
  holder: Model,
  referred: Model,
): readonly { readonly holder: readonly Field[]; readonly referred: readonly Field[] }[] {
  const fieldsOf = (model: Model, table: string, names: readonly string[]): readonly Field[] =>
    names.flatMap((name) => model.fieldOfColumn(table, name) ?? []);
  return holder.foreignKeys
    .filter(({ key }) => referred.parts.some(({ facts }) => facts.table === key.table))
    .map(({ holder: table, key }) => ({
      holder: fieldsOf(holder, table, key.columns),
      referred: fieldsOf(referred, key.table, key.references),
    }));
}

/** Whether no two rows can have the same values of these fields, which are of one table. */
export function isUnique({ parts }: Model, fields: readonly Field[]): boolean {
  const names = fields.map(({ column }) => column.name);
  const part = parts.find(({ facts }) => facts.table === fields[0]?.table);
  if (part === undefined) return false;
  const { primaryKey, uniques, indexes } = part.facts;
  const keys = [
    primaryKey.map(({ name }) => name),
    ...uniques.map(({ columns }) => columns),
    ...indexes
      .filter(({ unique, where }) => unique && where === undefined)
      .map(({ columns }) => columns.map(({ name }) => name)),
  ];
  return keys.some((key) => isSameSet(key, names));
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}

function refused(
  source: Model,
  target: Model,
  kind: "one" | "many",
  by: readonly string[] | undefined,
  candidates: readonly Candidate[],
): SpringhouseError {
  const names = candidates.map((each) => each.by.join(" and "));
  const what = `${kind}() from "${source.name}" to "${target.name}"`;
  const choice = `give by: ${names.map((name) => JSON.stringify(name)).join(" or ")}`;
  const advice =
    names.length === 0
      ? "no foreign key leads there; declare one with references()"
      : by === undefined
        ? `several foreign keys lead there; ${choice}`
        : `no foreign key is called ${by.join(" and ")}; ${choice}`;
  return new SpringhouseError("INVALID_ARGUMENT", `${what}: ${advice}.`, {
    fields: { source: source.name, target: target.name, candidates: names },
  });
}
