/** Random conditions and output expressions over the columns in scope. */

import { sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/sqlite";
import type { StoredValue } from "../../../src/change/value.ts";
import { eb, type Operand } from "./builder.ts";
import { randomValue } from "./database.ts";
import type { Choices } from "./random.ts";
import type { RandomSelect, Visible } from "./random-query.ts";

const COMPARISONS = ["=", "=", "=", "<", "<=", ">", ">=", "<>", "!="] as const;

type Subselect = (outer: readonly Visible[], outputs: number) => RandomSelect;

export class RandomConditions {
  readonly #choices: Choices;
  readonly #select: Subselect;

  constructor(choices: Choices, select: Subselect) {
    this.#choices = choices;
    this.#select = select;
  }

  one(visible: readonly Visible[], outer: readonly Visible[], depth: number): Operand {
    const choices = this.#choices;
    const column = choices.one(visible);
    const kind = choices.below(depth > 0 ? 19 : 16);
    if (kind < 5) return this.#compare(column, this.#value(column));
    if (kind < 7) {
      const other = choices.one(outer.length > 0 && choices.chance(0.7) ? outer : visible);
      return eb(column.path, choices.chance(0.8) ? "=" : "<", eb.ref(other.path));
    }
    if (kind < 14) return this.#composed(kind, column, visible, outer);
    if (kind < 16) return this.#opaque(column, visible);
    return this.#withSelect(column, visible, outer);
  }

  #composed(
    kind: number,
    column: Visible,
    visible: readonly Visible[],
    outer: readonly Visible[],
  ): Operand {
    const choices = this.#choices;
    const value = this.#value(column);
    const values = [value, this.#value(column)];
    const another = () => this.one(visible, outer, 0) as never;
    switch (kind) {
      case 7:
        return eb(column.path, choices.chance(0.6) ? "in" : "not in", values);
      case 8:
        return eb(column.path, choices.chance(0.6) ? "is" : "is not", choices.one([null, value]));
      case 9:
        return eb.between(column.path, value, this.#value(column));
      case 10:
        return eb.or([another(), another()]);
      case 11:
        return eb.not(another());
      case 12:
        return eb(eb.val<unknown>(value), choices.one(COMPARISONS), eb.ref(column.path));
      default:
        return eb.or([eb.and([another(), another()]), another()]);
    }
  }

  /** What has to be left alone, and must not hide what stands beside it. */
  #opaque(column: Visible, visible: readonly Visible[]): Operand {
    const choices = this.#choices;
    const other = choices.one(visible);
    const value = this.#value(column);
    const path = sql.ref(column.path);
    return choices.one<() => Operand>([
      () => sql`${path} like ${"a%"}`,
      () => sql.raw(`${column.path} = 1 or ${other.path} = 'a'`),
      () => sql`length(${path}) > 0`,
      () => sql`${path} collate nocase = ${value}`,
      () => eb(eb.fn.coalesce(column.path, eb.val(1n)), "=", value),
      () => eb(eb.cast(column.path, "text"), "=", value),
      () => eb(eb(column.path, "is", null), "=", eb.lit(1)),
    ])();
  }

  #withSelect(column: Visible, visible: readonly Visible[], outer: readonly Visible[]): Operand {
    const choices = this.#choices;
    const { query } = this.#select([...visible, ...outer], 1);
    switch (choices.below(5)) {
      case 0:
        return eb.exists(query);
      case 1:
        return eb.not(eb.exists(query));
      case 2:
        return eb(column.path, "in", query);
      case 3:
        return eb(column.path, "not in", query);
      default:
        return eb(column.path, "=", eb.selectFrom(query.as("s")).select(eb.fn.max("s.o0").as("m")));
    }
  }

  #compare(column: Visible, value: StoredValue): Operand {
    return eb(column.path, this.#choices.one(COMPARISONS), value);
  }

  #value(column: Visible): StoredValue {
    return randomValue(this.#choices, column, 0.25);
  }

  /** One column of a select list. */
  output(visible: readonly Visible[], outer: readonly Visible[], depth: number): Operand {
    const choices = this.#choices;
    const column = choices.one(visible);
    const kind = choices.below(10);
    if (kind === 0) return eb.fn.coalesce(column.path, eb.ref(choices.one(visible).path));
    if (kind === 1) {
      const condition = this.one(visible, outer, 0) as never;
      return eb.case().when(condition).then(eb.ref(column.path)).else(0n).end();
    }
    if (kind === 2) return sql.raw(`${column.path} || 'x'`);
    if (kind === 4 && depth > 0) {
      const { query } = this.#select([...visible, ...outer], 1);
      return jsonArrayFrom(query.orderBy("o0", (by) => by.collate("binary")));
    }
    if (kind === 3 && depth > 0) {
      const { query } = this.#select([...visible, ...outer], 1);
      return eb.selectFrom(query.as("s")).select(eb.fn.count("s.o0").as("m"));
    }
    return eb.ref(column.path);
  }

  /** Windows whose values do not depend on the order of peers. */
  window(visible: readonly Visible[]): Operand {
    const choices = this.#choices;
    const paths = [0, 1, 2].map(() => choices.one(visible).path);
    const [value, part, by] = paths as [string, string, string];
    return choices.one<() => Operand>([
      () => eb.fn.countAll().over((over) => over.partitionBy(part as never)),
      () => eb.fn.sum(value).over((over) => over.partitionBy(part as never)),
      () => eb.fn.agg("rank").over((over) => over.orderBy(by as never)),
      () =>
        eb.fn
          .agg("dense_rank")
          .over((over) => over.partitionBy(part as never).orderBy(by as never, "desc")),
      () => eb.fn.max(value).over((over) => over.orderBy(by as never)),
      () => eb.ref(value),
    ])();
  }

  aggregate(visible: readonly Visible[], outer: readonly Visible[]): Operand {
    const choices = this.#choices;
    const { path } = choices.one(visible);
    const made = choices.one([
      eb.fn.countAll(),
      eb.fn.count(path),
      eb.fn.count(path).distinct(),
      eb.fn.sum(path),
      eb.fn.min(path),
      eb.fn.max(path),
    ]);
    if (!choices.chance(0.3)) return made;
    return made.filterWhere(this.one(visible, outer, 0) as never);
  }

  having(visible: readonly Visible[]): Operand {
    const choices = this.#choices;
    const { path } = choices.one(visible);
    return choices.one<() => Operand>([
      () => eb(eb.fn.countAll(), ">", BigInt(choices.below(3))),
      () => eb(eb.fn.max(path), ">=", BigInt(choices.below(4))),
      () => eb(eb.fn.min(path), "=", BigInt(choices.below(2))),
    ])();
  }
}
