/** Random queries over a random database, with all that Kysely's builder can express. */

import { ExpressionWrapper, sql } from "kysely";
import { eb, kysely, type Operand, type Query } from "./builder.ts";
import { type DeclaredColumn, type DeclaredTable, randomValue } from "./database.ts";
import type { Choices } from "./random.ts";
import { RandomConditions } from "./random-conditions.ts";

/** A column in scope: how it is called, and what it holds. */
export interface Visible extends DeclaredColumn {
  readonly path: string;
}

export interface RandomSelect {
  readonly query: Query;
  readonly outputs: readonly string[];
  readonly isOrdered: boolean;
}

interface Item {
  readonly from: unknown;
  readonly columns: readonly Visible[];
}

interface Join {
  on(condition: Operand): unknown;
}

const JOINS = ["innerJoin", "innerJoin", "leftJoin", "leftJoin", "rightJoin", "fullJoin"] as const;

export class RandomQueries {
  readonly choices: Choices;
  readonly #tables: readonly DeclaredTable[];
  readonly #conditions: RandomConditions;
  #names = 0;

  constructor(choices: Choices, tables: readonly DeclaredTable[]) {
    this.choices = choices;
    this.#tables = tables;
    this.#conditions = new RandomConditions(choices, (outer, outputs) =>
      this.#select({ depth: 0, outer, outputs, common: [] }),
    );
  }

  /** A whole query. */
  root(): RandomSelect {
    const common: DeclaredTable[] = [];
    let from = kysely as Pick<typeof kysely, "selectFrom" | "with" | "withRecursive">;
    while (this.choices.chance(0.15)) {
      const name = this.#name("w");
      const body = this.choices.chance(0.4) ? this.#recursive(name) : this.#plainBody(common);
      const head = `${name}(${body.outputs.map((_, index) => `k${index}`).join(", ")})`;
      from = from.withRecursive(head, () => body.query as never) as unknown as typeof from;
      common.push({ name, columns: body.outputs.map((_, index) => anything(`k${index}`)) });
    }
    const outputs = 1 + this.choices.below(3);
    return this.#select({ depth: 1, outer: [], outputs, common, from });
  }

  #plainBody(common: readonly DeclaredTable[]): RandomSelect {
    return this.#select({ depth: 0, outer: [], outputs: 1 + this.choices.below(2), common });
  }

  /** Walks from row to row, at most three steps far. */
  #recursive(name: string): RandomSelect {
    const table = this.choices.one(this.#tables);
    const [start, key, next] = [0, 1, 2].map(() => this.choices.one(table.columns).name);
    const first = this.#aliased(table);
    const step = this.#aliased(table);
    let seed = (kysely.selectFrom(first.from as string) as unknown as Query).select([
      `${first.alias}.${start} as k0`,
      sql<unknown>`0`.as("k1"),
    ] as never);
    if (this.choices.chance(0.6)) seed = seed.where(this.#condition(first.columns, [], 0) as never);
    let more = (kysely.selectFrom(name) as unknown as Query)
      .innerJoin(step.from as string, `${step.alias}.${key}`, `${name}.k0`)
      .select([`${step.alias}.${next} as k0`, eb(`${name}.k1`, "+", 1n).as("k1")] as never)
      .where(`${name}.k1` as never, "<", 3 as never);
    // In brackets: text with OR in it would end the bound on the steps.
    if (this.choices.chance(0.5)) {
      const condition = this.#condition(step.columns, [], 0);
      more = more.where(sql<boolean>`(${condition as never})` as never);
    }
    const query = seed.union(more as never) as unknown as Query;
    return { query, outputs: ["k0", "k1"], isOrdered: false };
  }

  #select(options: {
    readonly depth: number;
    readonly outer: readonly Visible[];
    readonly outputs: number;
    readonly common: readonly DeclaredTable[];
    readonly from?: Pick<typeof kysely, "selectFrom">;
  }): RandomSelect {
    const { choices } = this;
    const { depth } = options;
    const outputs = Array.from({ length: options.outputs }, (_, index) => `o${index}`);
    let query = this.#body(options, outputs, options.from ?? kysely);
    if (depth > 0 && choices.chance(0.2)) {
      const kind = choices.one(["union", "unionAll", "intersect", "except"] as const);
      const arm = this.#body({ ...options, depth: 0 }, outputs, kysely);
      query = query[kind](arm as never) as Query;
    }
    const isOrdered = depth > 0 && choices.chance(0.25);
    if (!isOrdered) return { query, outputs, isOrdered };
    for (const name of outputs) query = query.orderBy(name as never, (by) => by.collate("binary"));
    if (choices.chance(0.7)) query = query.limit(1 + choices.below(3));
    if (choices.chance(0.3)) query = query.limit(2).offset(1);
    return { query, outputs, isOrdered };
  }

  #body(
    options: {
      readonly depth: number;
      readonly outer: readonly Visible[];
      readonly common: readonly DeclaredTable[];
    },
    outputs: readonly string[],
    from: Pick<typeof kysely, "selectFrom">,
  ): Query {
    const { choices } = this;
    const { depth, outer } = options;
    const isAlone = choices.chance(0.25);
    const first = this.#item(options);
    const visible = isAlone ? first.columns.map(unqualified) : [...first.columns];
    const joined: Visible[] = [];
    let query: Query;
    if (!isAlone && choices.chance(0.15)) {
      const second = this.#item(options);
      visible.push(...second.columns);
      query = from.selectFrom([first.from, second.from] as never) as unknown as Query;
    } else {
      query = from.selectFrom(first.from as never) as unknown as Query;
    }
    while (!isAlone && choices.chance(0.45) && visible.length < 14) {
      const item = this.#item(options);
      const own = [...visible];
      visible.push(...item.columns);
      query = this.#join(query, item, { own, outer, joined });
      if (choices.chance(0.15)) query = query.where(choices.one(visible).path, "is", null);
      if (choices.chance(0.3)) query = query.where(this.#constant(choices.one(joined)) as never);
    }
    while (choices.chance(0.35)) {
      const columns = joined.length > 0 && choices.chance(0.5) ? joined : visible;
      query = query.where(this.#condition(columns, outer, depth) as never);
    }
    return this.#shape(query, visible, outer, outputs, depth);
  }

  #join(
    query: Query,
    item: Item,
    around: {
      readonly own: readonly Visible[];
      readonly outer: readonly Visible[];
      readonly joined: Visible[];
    },
  ): Query {
    const { choices } = this;
    const { own, outer, joined } = around;
    if (choices.chance(0.08)) return query.crossJoin(item.from as never) as unknown as Query;
    const left = choices.one(joined.length > 0 && choices.chance(0.4) ? joined : own);
    const alike = item.columns.filter((column) => column.affinity === left.affinity);
    const right = choices.one(alike.length > 0 ? alike : item.columns);
    let on: Operand = choices.chance(0.85)
      ? eb(left.path, "=", eb.ref(right.path))
      : this.#condition([...own, ...item.columns], outer, 0);
    joined.push(left, right);
    while (choices.chance(0.3)) {
      const columns = choices.one([[left], [right], own, item.columns]);
      on = eb.and([on as never, this.#condition(columns, outer, 0) as never]);
    }
    const kind = choices.one(JOINS);
    const join = query[kind] as (from: unknown, on: (join: Join) => unknown) => unknown;
    return join.call(query, item.from, (builder) => builder.on(on)) as Query;
  }

  /** What equality with a joined column can carry. */
  #constant(column: Visible | undefined): Operand {
    if (column === undefined) return eb.lit(true);
    return eb(column.path, "=", randomValue(this.choices, column));
  }

  #condition(visible: readonly Visible[], outer: readonly Visible[], depth: number): Operand {
    return this.#conditions.one(visible, outer, depth);
  }

  #shape(
    query: Query,
    visible: readonly Visible[],
    outer: readonly Visible[],
    outputs: readonly string[],
    depth: number,
  ): Query {
    const { choices } = this;
    const kind = choices.below(10);
    const conditions = this.#conditions;
    const name = (operands: readonly Operand[]) =>
      operands.map((one, index) => aliased(one, outputs[index] as string));
    if (kind < 6) {
      const plain = outputs.map(() => conditions.output(visible, outer, depth));
      const selected = query.select(name(plain) as never) as Query;
      return choices.chance(0.15) ? selected.distinct() : selected;
    }
    if (kind < 8) {
      const windows = outputs.map(() => conditions.window(visible));
      return query.select(name(windows) as never) as Query;
    }
    const groups = outputs.slice(1).map(() => eb.ref(choices.one(visible).path));
    const aggregate = conditions.aggregate(visible, outer);
    let grouped = query.select(name([...groups, aggregate]) as never) as Query;
    if (groups.length > 0) grouped = grouped.groupBy(groups as never);
    if (choices.chance(0.4)) grouped = grouped.having(conditions.having(visible) as never);
    return grouped;
  }

  #item(options: {
    readonly depth: number;
    readonly outer: readonly Visible[];
    readonly common: readonly DeclaredTable[];
  }): Item {
    const { choices } = this;
    if (options.depth > 0 && choices.chance(0.12)) {
      const alias = this.#name("d");
      const count = 1 + choices.below(2);
      const { query, outputs } = this.#select({ ...options, depth: 0, outputs: count });
      const columns = outputs.map((name) => ({ ...anything(name), path: `${alias}.${name}` }));
      return { from: query.as(alias), columns };
    }
    if (options.common.length > 0 && choices.chance(0.5)) {
      return this.#aliased(choices.one(options.common));
    }
    return this.#aliased(choices.one(this.#tables));
  }

  #aliased(table: DeclaredTable): Item & { readonly alias: string } {
    const alias = this.#name("a");
    const columns = table.columns.map((one) => ({ ...one, path: `${alias}.${one.name}` }));
    return { from: `${table.name} as ${alias}`, columns, alias };
  }

  #name(prefix: string): string {
    this.#names += 1;
    return `${prefix}${this.#names}`;
  }
}

function aliased(operand: Operand, name: string): unknown {
  return new ExpressionWrapper(operand.toOperationNode()).as(name);
}

/** A column by its bare name, which a subquery may take for one of its own. */
function unqualified(column: Visible): Visible {
  return { ...column, path: column.name };
}

function anything(name: string): DeclaredColumn {
  const values = { domain: ["a", "1", 1n, 2n, 0.5], strange: [null] };
  return { name, ddl: "", affinity: "blob", collation: "binary", isGenerated: false, ...values };
}
