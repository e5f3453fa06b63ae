import { openSqliteStore } from "../../../src/store/sqlite/store.ts";
import { describeStore } from "../../contract/store.ts";

describeStore({
  name: "SQLite",
  open: () => openSqliteStore({ url: "sqlite::memory:" }),
  mark: () => "?",
});
