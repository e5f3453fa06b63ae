/** Reading of the audit log: who changed which row, when, and from what to what. */

import { AuditLog } from "../capture/audit.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { createCatalog } from "../schema/catalog.ts";
import type { Entity, KeyOf, RowOf } from "../schema/types.ts";
import type { SqlValue } from "../store/store.ts";
import type { Where } from "./conditions.ts";
import type { Field } from "./field.ts";
import type { Model } from "./model.ts";
import { Models } from "./models.ts";
import { Repository } from "./repository.ts";
import type { Scope } from "./scope.ts";
import type { Page } from "./types.ts";

/** One change of one row. */
export type AuditEntry = RowOf<typeof AuditLog>;

/** For `list`. All conditions have to hold. */
export interface AuditListOptions<E extends Entity> {
  /** Changes of rows of this entity. Default: of all audited entities. */
  readonly entity?: E;
  /** Changes of the row with this key; needs `entity`. Default: of all rows. */
  readonly key?: KeyOf<E>;
  /** Default: all kinds of change. */
  readonly action?: AuditEntry["action"];
  /** Changes by this actor. Default: by everybody. */
  readonly actor?: string;
  /** From this moment on. Default: the beginning. */
  readonly since?: Date;
  /** Before this moment. Default: now. */
  readonly until?: Date;
  /** Entries at most. Default: the page size of the database. */
  readonly limit?: number;
  /** Where the last page ended. Default: the newest change. */
  readonly cursor?: string;
}

const OPTIONS = ["entity", "key", "action", "actor", "since", "until", "limit", "cursor"];

/** The audit log of one database. Asks for permission to read the entity `audit_log`. */
export class AuditReader {
  readonly #models: Models;
  readonly #entries: Repository<typeof AuditLog>;

  constructor(scope: Scope) {
    this.#models = scope.models;
    const models = new Models(createCatalog([AuditLog]), scope.models.dialect);
    this.#entries = new Repository(AuditLog, { ...scope, models });
  }

  /**
   * A page of changes, the newest first.
   *
   * @throws `INVALID_ARGUMENT` when no entity of the database has `audit`.
   */
  list<E extends Entity>(options: AuditListOptions<E> = {}): Promise<Page<AuditEntry>> {
    refuseUnknownKeys(options, OPTIONS, "list of the audit log");
    const { limit, cursor } = options;
    return this.#entries.page({
      where: this.#where(options),
      orderBy: { id: "desc" },
      ...(limit === undefined ? {} : { limit }),
      ...(cursor === undefined ? {} : { cursor }),
    });
  }

  #where<E extends Entity>(options: AuditListOptions<E>): Where<typeof AuditLog> {
    const { entity, key, action, actor, since, until } = options;
    if (!this.#models.isAudited) {
      throw new SpringhouseError(
        "INVALID_ARGUMENT",
        "There is no audit log: declare an entity with { audit: true }.",
      );
    }
    const model = entity === undefined ? undefined : this.#models.of(entity);
    if (model === undefined && key !== undefined) {
      throw new SpringhouseError("INVALID_ARGUMENT", "A key of the audit log needs its entity.");
    }
    return {
      ...(model === undefined ? {} : { entityType: { in: tablesOf(model) } }),
      ...(model === undefined || key === undefined ? {} : { entityId: entityIdOf(model, key) }),
      ...(action === undefined ? {} : { action }),
      ...(actor === undefined ? {} : { userId: actor }),
      ...(since === undefined && until === undefined
        ? {}
        : {
            timestamp: {
              ...(since === undefined ? {} : { gte: since }),
              ...(until === undefined ? {} : { lt: until }),
            },
          }),
    };
  }
}

/** A row of a detail entity is logged under both of its tables, with the same key. */
function tablesOf({ parts }: Model): readonly string[] {
  return parts.map(({ facts }) => facts.table);
}

/** The key as the triggers write it: a text, or a JSON array when it has several columns. */
function entityIdOf(model: Model, key: unknown): string {
  const values = model.keyValues(key);
  const [only] = values;
  if (values.length === 1 && only !== undefined) return keyAsText(model.key[0] as Field, only);
  const items = values.map((value) => (typeof value === "string" ? JSON.stringify(value) : value));
  return `[${items.join(model.dialect === "postgres" ? ", " : ",")}]`;
}

function keyAsText({ column }: Field, value: SqlValue): string {
  const isWholeReal = column.kind === "real" && Number.isInteger(value);
  return isWholeReal ? `${value}.0` : String(value);
}
