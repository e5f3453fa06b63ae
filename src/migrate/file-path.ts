/** The file behind a store, for what needs a connection of its own. */

import type { Session } from "../store/store.ts";

/** The path of the session's database; undefined when it lives in memory only. */
export async function filePathOf(session: Session): Promise<string | undefined> {
  const { rows } = await session.read({ sql: "PRAGMA database_list", parameters: [] });
  const main = rows.find((row) => row[1] === "main");
  const path = main?.[2];
  return typeof path === "string" && path !== "" ? path : undefined;
}
