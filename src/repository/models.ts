/** The compiled entities of one database. */

import { SpringhouseError } from "../core/errors.ts";
import { nearest } from "../core/options.ts";
import type { Catalog } from "../schema/catalog.ts";
import { factsOf } from "../schema/entity.ts";
import type { EntityFacts } from "../schema/facts.ts";
import type { Dialect } from "../schema/physical.ts";
import type { Entity } from "../schema/types.ts";
import { eventNameOf } from "./event-names.ts";
import { Model } from "./model.ts";

/** Compiles each entity once, when it is first asked for. */
export class Models {
  readonly catalog: Catalog;
  readonly dialect: Dialect;
  /** Whether any change of any table is written to the audit log. */
  readonly isAudited: boolean;
  readonly #eventNames: Readonly<Record<string, string>>;
  readonly #models = new Map<EntityFacts, Model>();
  #rowEvents: readonly string[] | undefined;

  /** @param eventNames names in events by table; the singular of the table unless it is given. */
  constructor(
    catalog: Catalog,
    dialect: Dialect,
    eventNames: Readonly<Record<string, string>> = {},
  ) {
    this.catalog = catalog;
    this.dialect = dialect;
    this.isAudited = catalog.entities.some((facts) => facts.audit);
    this.#eventNames = eventNames;
  }

  /** @throws `INVALID_ARGUMENT` when the entity is not one of this database. */
  of(entity: Entity): Model {
    return this.ofFacts(factsOf(entity));
  }

  ofFacts(facts: EntityFacts): Model {
    const known = this.#models.get(facts);
    if (known !== undefined) return known;
    if (this.catalog.byTable.get(facts.table) !== facts) throw this.#refuse(facts.table);
    const model = new Model(facts, this.dialect, this.#eventNameOf(facts.table));
    this.#models.set(facts, model);
    return model;
  }

  /** The model of a table, undefined when the table is not declared. */
  ofTable(table: string): Model | undefined {
    const facts = this.catalog.byTable.get(table);
    return facts === undefined ? undefined : this.ofFacts(facts);
  }

  /** The names of all events of rows, in the order of the entities. */
  get rowEvents(): readonly string[] {
    this.#rowEvents ??= this.catalog.entities.flatMap(({ table }) => {
      const name = this.#eventNameOf(table);
      return [`${name}Created`, `${name}Updated`, `${name}Deleted`];
    });
    return this.#rowEvents;
  }

  #eventNameOf(table: string): string {
    const given = Object.hasOwn(this.#eventNames, table);
    return (given && this.#eventNames[table]) || eventNameOf(table);
  }

  #refuse(table: string): SpringhouseError {
    const near = nearest(table, [...this.catalog.byTable.keys()]);
    const hint = near === undefined || near === table ? "" : ` Did you mean "${near}"?`;
    return new SpringhouseError(
      "INVALID_ARGUMENT",
      `The entity "${table}" is not one of this database: add it to its entities.${hint}`,
      { fields: { table } },
    );
  }
}
