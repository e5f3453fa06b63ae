/**
 * Who acts, for the audit triggers. They read it from a place where it stands only inside the unit
 * that it is for (a row on SQLite, a setting of the transaction on PostgreSQL), so that no write by
 * anybody else can inherit it.
 *
 * It is the session that says it, so every way to write through one says it: repositories, Kysely,
 * plain SQL.
 */

import type { Session, Statement } from "../store/store.ts";
import type { Models } from "./models.ts";

/** The session for one user; itself when nothing is audited. */
export function sessionAs(session: Session, { isAudited, dialect }: Models, user: string): Session {
  if (!isAudited) return session;
  const [set, clear] = dialect === "postgres" ? postgresActor(user) : sqliteActor(user);
  const acting: Session = {
    dialect: session.dialect,
    isWrite: (sql) => session.isWrite(sql),
    read: (statement, options) => session.read(statement, options),
    stream: (statement, options) => session.stream(statement, options),
    async write(unit, options) {
      if (unit.length === 0) return session.write(unit, options);
      return (await session.write([set, ...unit, clear], options)).slice(1, -1);
    },
    writeMany(sql, rows, options = {}) {
      const { signal } = options;
      const bulk = { deadlineFor: "pauses", ...(signal === undefined ? {} : { signal }) } as const;
      return acting.transaction((transaction) => transaction.writeMany(sql, rows, options), bulk);
    },
    transaction: (run, options) =>
      session.transaction(async (transaction) => {
        await transaction.write([set]);
        const result = await run(transaction);
        await transaction.write([clear]);
        return result;
      }, options),
  };
  return acting;
}

/** What goes before and after the statements of a unit. */
type Around = readonly [set: Statement, clear: Statement];

function sqliteActor(user: string): Around {
  const set =
    'INSERT INTO "springhouse_actor" ("id", "user_id") VALUES (1, ?) ' +
    'ON CONFLICT ("id") DO UPDATE SET "user_id" = excluded."user_id"';
  return [
    { sql: set, parameters: [user] },
    { sql: 'DELETE FROM "springhouse_actor"', parameters: [] },
  ];
}

function postgresActor(user: string): Around {
  const sql = "SELECT set_config('springhouse.user_id', $1, true)";
  return [
    { sql, parameters: [user] },
    { sql, parameters: [""] },
  ];
}
