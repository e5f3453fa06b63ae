/** A scene for migrations: a folder of files and a database in a temporary folder. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MigrationDefinition } from "../../src/migrate/migration.ts";
import type { Migrator, MigratorOptions } from "../../src/migrate/migrator.ts";
import { createMigrator } from "../../src/migrate/run.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { SqlValue, Statement, Store } from "../../src/store/store.ts";
import { openDirectStore } from "../support/direct-store.ts";

/** A temporary folder with `app.db` and `migrations/`; everything is removed at the end. */
export class Scene implements AsyncDisposable {
  readonly folder: string;
  readonly migrations: string;
  readonly #stores: Store[] = [];

  private constructor(folder: string) {
    this.folder = folder;
    this.migrations = join(folder, "migrations");
  }

  /** Makes the folder and the given files in `migrations/`. */
  static async create(files: Readonly<Record<string, string>> = {}): Promise<Scene> {
    const scene = new Scene(await mkdtemp(join(tmpdir(), "springhouse-migrate-")));
    await mkdir(scene.migrations);
    for (const [name, text] of Object.entries(files)) await scene.write(name, text);
    return scene;
  }

  get path(): string {
    return join(this.folder, "app.db");
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.migrations, name), text);
  }

  /** A store on the file as programs use it; the scene's own one is the naive one, for speed. */
  async open(options: { readonly busyTimeoutMs?: number } = {}): Promise<Store> {
    const store = await openSqliteStore({ url: `sqlite:${this.path}`, ...options });
    this.#stores.push(store);
    return store;
  }

  /** A migrator on the first store that was opened. */
  async migrator(options: Partial<MigratorOptions> = {}): Promise<Migrator> {
    const store = options.store ?? (await this.store());
    return createMigrator({ directory: this.migrations, ...options, store });
  }

  async store(): Promise<Store> {
    const [first = openDirectStore(this.path)] = this.#stores;
    this.#stores[0] = first;
    return first;
  }

  /** Rows of a query. */
  async rows(sql: string): Promise<readonly (readonly SqlValue[])[]> {
    return (await (await this.store()).read({ sql, parameters: [] })).rows;
  }

  /** Runs statements outside of any migration. */
  async run(...statements: readonly string[]): Promise<void> {
    await (await this.store()).write(statements.map((sql) => ({ sql, parameters: [] })));
  }

  /** Names of tables, indexes, triggers and views, bookkeeping left out. */
  async objects(): Promise<readonly string[]> {
    const rows = await this.rows("SELECT name FROM sqlite_schema ORDER BY name");
    return rows
      .map(([name]) => String(name))
      .filter((name) => !/^(sqlite_|springhouse_|schema_)/.test(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) await store.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A store that counts what it is asked. */
export function counting(store: Store): { readonly store: Store; readonly calls: string[] } {
  const calls: string[] = [];
  const proxy = new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        calls.push(`${String(key)} ${(args[0] as Statement).sql ?? ""}`);
        return value.apply(target, args);
      };
    },
  });
  return { store: proxy, calls };
}

/** Three migrations that lead there and back. */
export const FILES: Readonly<
  Record<"0001_weeks.sql" | "0002_tasks.sql" | "0003_score.sql", string>
> = {
  "0001_weeks.sql": "CREATE TABLE weeks (id INTEGER PRIMARY KEY);\n-- down\nDROP TABLE weeks;",
  "0002_tasks.sql": "CREATE TABLE tasks (id INTEGER PRIMARY KEY);\n-- down\nDROP TABLE tasks;",
  "0003_score.sql":
    "ALTER TABLE tasks ADD COLUMN score INTEGER;\n-- down\nALTER TABLE tasks DROP COLUMN score;",
};

/** A migration in code that makes a table, unless said otherwise. */
export function define(
  version: number,
  facts: Partial<MigrationDefinition> = {},
): MigrationDefinition {
  return {
    version,
    name: `m${version}`,
    up: `CREATE TABLE t${version} (id INTEGER PRIMARY KEY)`,
    down: `DROP TABLE t${version}`,
    ...facts,
  };
}
