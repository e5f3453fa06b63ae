/**
 * Who acts, for the audit triggers. They read it from a place where it stands only inside the unit
 * that it is for (a row on SQLite, a setting of the transaction on PostgreSQL), so that no write by
 * anybody else can inherit it.
 */

import type { Statement } from "../store/store.ts";
import type { Models } from "./models.ts";

/** What goes before and after the statements of a unit. */
export interface ActorStatements {
  readonly set: Statement;
  readonly clear: Statement;
}

/** The statements for an actor; none when there is none, or nothing is audited. */
export function actorStatements(
  { isAudited, dialect }: Models,
  actor: string | undefined,
): ActorStatements | undefined {
  if (actor === undefined || !isAudited) return undefined;
  if (dialect === "postgres") return { set: postgresActor(actor), clear: postgresActor("") };
  return {
    set: {
      sql:
        'INSERT INTO "springhouse_actor" ("id", "user_id") VALUES (1, ?) ' +
        'ON CONFLICT ("id") DO UPDATE SET "user_id" = excluded."user_id"',
      parameters: [actor],
    },
    clear: { sql: 'DELETE FROM "springhouse_actor"', parameters: [] },
  };
}

function postgresActor(user: string): Statement {
  return { sql: "SELECT set_config('springhouse.user_id', $1, true)", parameters: [user] };
}
