import { DatabaseSync } from "node:sqlite";
import { type Generated, Kysely, SqliteDialect } from "kysely";
import { onTestFinished } from "vitest";
import {
  type SpringhouseDialect,
  type SpringhouseDialectOptions,
  springhouseDialect,
} from "../../src/kysely/index.ts";
import { temporaryPath } from "../sqlite/support.ts";

/** An application's tables, as it declares them for Kysely. */
export interface Tables {
  readonly tasks: {
    readonly id: Generated<number>;
    readonly week: number;
    readonly name: string | null;
    readonly size: number | bigint;
    readonly body: Uint8Array | null;
  };
}

export const TASKS = `CREATE TABLE tasks (id INTEGER PRIMARY KEY, week INTEGER NOT NULL,
  name TEXT, size ANY DEFAULT 0, body BLOB)`;

/** An application on our dialect, whose file has the table `tasks`. */
export interface App {
  readonly springhouse: SpringhouseDialect;
  readonly db: Kysely<Tables>;
  readonly path: string;
  /** A connection that knows nothing of Springhouse. */
  readonly plain: DatabaseSync;
}

/** Opens it; closed when the test is over. */
export async function openApp(options: Partial<SpringhouseDialectOptions> = {}): Promise<App> {
  const path = temporaryPath();
  const plain = new DatabaseSync(path);
  onTestFinished(() => plain.close());
  plain.exec(TASKS);
  const springhouse = await springhouseDialect({ url: `sqlite:///${path}`, ...options });
  onTestFinished(() => springhouse.close());
  return { springhouse, db: new Kysely<Tables>({ dialect: springhouse }), path, plain };
}

/** The same application on Kysely's own dialect. */
export function openStock(): Kysely<Tables> {
  const connection = new DatabaseSync(":memory:");
  connection.exec(TASKS);
  const database = {
    close: () => connection.close(),
    prepare(sql: string) {
      const statement = connection.prepare(sql);
      type Values = Parameters<typeof statement.all>;
      return {
        reader: statement.columns().length > 0,
        all: (values: readonly unknown[]) => statement.all(...(values as Values)),
        run: (values: readonly unknown[]) => statement.run(...(values as Values)),
        iterate: (values: readonly unknown[]) => statement.iterate(...(values as Values)),
      };
    },
  };
  const stock = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });
  onTestFinished(() => stock.destroy());
  return stock;
}
