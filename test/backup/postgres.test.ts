/** Dumps of a real server; skipped, visibly, where there is none, and never under CI. */

import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dumpPostgres, restorePostgres } from "../../src/backup/postgres.ts";
import { listPostgresDumps } from "../../src/backup/postgres-list.ts";
import { runTool } from "../../src/backup/postgres-tool.ts";
import { postgresEnvironment } from "../../src/backup/postgres-url.ts";
import { skipPostgres } from "../schema/psql.ts";
import { newDatabase, psql, SERVER } from "./postgres-support.ts";
import { newFolder } from "./support.ts";

describe.skipIf(skipPostgres)("a dump of PostgreSQL", () => {
  it("is restored into a database of its own and compared before it counts", async () => {
    const url = newDatabase();
    const directory = newFolder();

    const dump = await dumpPostgres({ url, directory });

    expect(dump.proof).toBe("restored");
    expect(dump.name).toMatch(/^backup_\d{8}_\d{6}$/);
    expect(dump.tables.map(({ name, rows }) => [name, rows])).toEqual([
      [`"odd schema"."it's ""odd"""`, 2],
      ["public.part1", 2],
      ["public.words", 500],
    ]);
    expect(readdirSync(directory).sort()).toEqual([`${dump.name}.dump`, `${dump.name}.dump.json`]);
    for (const file of readdirSync(directory)) {
      expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600);
    }
    const { name, sizeBytes } = dump;
    const createdAt = new Date(dump.createdAt);
    const path = join(directory, `${name}.dump`);
    const more = { createdAt, pinned: false, manifest: dump, problem: undefined };
    expect(await listPostgresDumps(directory)).toEqual([{ name, path, sizeBytes, ...more }]);
    const left = psql(
      SERVER,
      "SELECT count(*) FROM pg_database WHERE datname ~ 'springhouse_verify'",
    );
    expect(left).toBe("0");
  });

  it("brings every row back, after what was there was dumped", async () => {
    const url = newDatabase();
    const directory = newFolder();
    const { name, tables } = await dumpPostgres({ url, directory, verify: false });
    psql(url, "DELETE FROM words WHERE id > 10; UPDATE parts SET id = 5 WHERE id = 1");

    const plan = await restorePostgres({ url, directory, name, dryRun: true });
    expect(plan).toEqual({ name, dryRun: true, tables, before: undefined });
    expect(psql(url, "SELECT count(*) FROM words")).toBe("10");
    const report = await restorePostgres({ url, directory, name });

    expect(psql(url, "SELECT count(*) FROM words")).toBe("500");
    expect(psql(url, "SELECT string_agg(id::text, ',' ORDER BY id) FROM parts")).toBe("1,2");
    const before = (await listPostgresDumps(directory)).find((one) => one.name === report.before);
    expect(before?.manifest?.tables.find((table) => table.name === "public.words")?.rows).toBe(10);
  });

  it("changes nothing when it cannot be restored wholly", async () => {
    const url = newDatabase();
    const directory = newFolder();
    const { name } = await dumpPostgres({ url, directory, verify: false });
    psql(url, "DELETE FROM words; CREATE VIEW v AS SELECT id FROM words");

    await expect(restorePostgres({ url, directory, name })).rejects.toMatchObject({
      code: "BACKUP_TOOL_FAILED",
      message: expect.stringContaining("other objects depend on it"),
    });

    expect(psql(url, "SELECT count(*) FROM v")).toBe("0");
  });

  it("that was altered is refused by its SHA-256", async () => {
    const url = newDatabase();
    const directory = newFolder();
    const { name } = await dumpPostgres({ url, directory, verify: false });
    const path = join(directory, `${name}.dump`);
    const bytes = readFileSync(path);
    bytes[bytes.length - 10] = (bytes[bytes.length - 10] ?? 0) ^ 1;
    writeFileSync(path, bytes);

    await expect(restorePostgres({ url, directory, name })).rejects.toMatchObject({
      code: "BACKUP_DAMAGED",
      message: expect.stringContaining("SHA-256"),
    });
  });

  it("leaves nothing behind when the program fails", async () => {
    const directory = newFolder();
    const url = new URL(SERVER);
    url.pathname = "/there_is_no_such_database";

    await expect(dumpPostgres({ url: url.href, directory })).rejects.toMatchObject({
      code: "BACKUP_TOOL_FAILED",
      fields: { program: "psql", code: 2 },
      message: expect.stringContaining("there_is_no_such_database"),
    });

    expect(readdirSync(directory)).toEqual([]);
  });

  it("takes no name that leads out of the folder", async () => {
    const options = { url: SERVER, directory: newFolder(), name: "../evil" };

    await expect(dumpPostgres(options)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(restorePostgres(options)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("a program of PostgreSQL", () => {
  /** A stand-in that tells its command line and its environment, and ends as it is told. */
  function standIn(script: string): string {
    const path = join(newFolder(), "tool");
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o700);
    return path;
  }

  it("gets the password by its environment, never by its command line", async () => {
    const env = postgresEnvironment("postgres://app:s3cr%23t@db.example:6543/main?sslmode=require");
    const path = standIn(
      'echo "$@"; echo "$PGUSER $PGPASSWORD $PGHOST $PGPORT $PGDATABASE $PGSSLMODE"',
    );

    const output = await runTool("pg_dump", ["--format=custom"], { env, path });

    expect(output).toBe("--format=custom\napp s3cr#t db.example 6543 main require\n");
  });

  it("keeps PGPASSFILE of the environment for a URL without a password", () => {
    const env = postgresEnvironment("postgres://app@db/main", { PGPASSFILE: "/run/pgpass" });

    expect(env).toEqual({
      PGPASSFILE: "/run/pgpass",
      PGUSER: "app",
      PGHOST: "db",
      PGDATABASE: "main",
    });
  });

  it("that ends with another exit code than 0 is an error with its last words", async () => {
    const path = standIn("echo 'cannot reach postgres://app:geheim@db/main' >&2; exit 3");

    await expect(runTool("pg_dump", [], { env: {}, path })).rejects.toMatchObject({
      code: "BACKUP_TOOL_FAILED",
      fields: { program: "pg_dump", code: 3 },
      message: "pg_dump ended with the exit code 3. cannot reach postgres://app:***@db/main",
    });
  });

  it("that is not installed is named with the package that brings it", async () => {
    await expect(
      runTool("pg_restore", [], { env: {}, path: "/no/pg_restore" }),
    ).rejects.toMatchObject({
      code: "MISSING_DEPENDENCY",
      message: expect.stringContaining("postgresql-client"),
    });
  });

  it("is ended by a signal", async () => {
    const controller = new AbortController();
    const running = runTool("pg_dump", [], {
      env: { PATH: process.env["PATH"] ?? "" },
      path: standIn("exec sleep 60"),
      signal: controller.signal,
    });
    controller.abort();

    await expect(running).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("is not run for what is no URL of PostgreSQL, and the message hides the password", () => {
    expect(() => postgresEnvironment("mysql://root:geheim@db/main")).toThrow(
      expect.objectContaining({
        code: "INVALID_URL",
        message: expect.not.stringContaining("geheim"),
      }),
    );
    expect(() => postgresEnvironment("postgres://db/main?sslmod=require")).toThrow(/"sslmod"/);
  });
});
