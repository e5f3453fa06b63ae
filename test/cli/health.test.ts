import { chmod, truncate, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { Project } from "./support.ts";

/** A database as Springhouse keeps it, and no backups wanted. */
async function project(): Promise<Project> {
  const made = await Project.make({
    "springhouse.config.json": JSON.stringify({ backup: { enabled: false } }),
  });
  made.sql("app.db", "PRAGMA journal_mode = WAL", "CREATE TABLE a (b)", "INSERT INTO a VALUES (1)");
  await chmod(made.path("app.db"), 0o600);
  return made;
}

/** The database, held exclusively until it is disposed. */
function held(project: Project): DatabaseSync {
  const database = new DatabaseSync(project.path("app.db"));
  database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  return database;
}

interface Report {
  readonly ok: boolean;
  readonly status: string;
  readonly checks: readonly { readonly name: string; readonly status: string }[];
}

describe("springhouse health", () => {
  it("says how the database is, and what to do", async () => {
    await using made = await project();

    const { code, out } = await made.run("health");

    expect(code).toBe(0);
    expect(out).toMatch(/^check +found\n─+/);
    expect(out).toMatch(/^connection +healthy +ok$/m);
    expect(out).toMatch(/^tables +healthy +a 1 row$/m);
    expect(out).toMatch(/^warning integrity: Run: npx springhouse health --quick-check$/m);
    expect(out).toContain("The database works, and something needs a look.");
    expect(out).not.toMatch(/^(writer|readers|event loop) /m);
  });

  it("is 1 for warnings with --strict, until they are seen to", async () => {
    await using made = await project();

    const before = await made.run("health --strict --json");
    await made.run("health --quick-check");
    const after = await made.run("health --strict --json");

    expect([before.code, after.code]).toEqual([1, 0]);
    expect(JSON.parse(before.out)).toMatchObject({ ok: false, status: "warning", ready: true });
    expect(JSON.parse(after.out)).toMatchObject({ ok: true, status: "healthy" });
  });

  it("is 1 for a database that cannot be opened or is damaged", async () => {
    await using made = await project();
    await writeFile(made.path("letter.db"), "This is a letter. ".repeat(99));
    made.sql("app.db", "INSERT INTO a SELECT randomblob(4000) FROM json_each('[1,2,3,4,5]')");
    await truncate(made.path("app.db"), 4_096 * 3);

    const missing = await made.run("health --url sqlite:none.db --json");
    const letter = await made.run("health --url sqlite:letter.db");
    const damaged = await made.run("health --quick-check --json");

    expect([missing.code, letter.code, damaged.code]).toEqual([1, 1, 1]);
    expect((JSON.parse(missing.out) as Report).checks).toMatchObject([
      { name: "connection", status: "unhealthy", found: expect.stringContaining("UNOPENABLE") },
    ]);
    expect(letter.out).toContain("NOT_A_DATABASE");
    expect((JSON.parse(damaged.out) as Report).status).toBe("unhealthy");
  });

  it("waits no longer than a check may take for a database that another one holds", async () => {
    await using made = await project();
    const config = { backup: { enabled: false }, monitoring: { checkTimeout: "50ms" } };
    await writeFile(made.path("springhouse.config.json"), JSON.stringify(config));
    using _ = held(made);

    const { code, out } = await made.run("health");

    expect(code).toBe(1);
    expect(out).toMatch(/^connection +unhealthy +BUSY: .* within 50 ms/m);
  });

  it("is given up at once while it waits for a database that another one holds", async () => {
    await using made = await project();
    const config = { backup: { enabled: false }, monitoring: { checkTimeout: "1h" } };
    const database = { url: "sqlite:app.db", busyTimeout: "1h" };
    await writeFile(made.path("springhouse.config.json"), JSON.stringify({ ...config, database }));
    using _ = held(made);
    const interrupted = new AbortController();

    const running = made.run("health", { signal: interrupted.signal });
    interrupted.abort();

    expect((await running).code).toBe(130);
  });

  it("is 2 when there is nothing that it could look at", async () => {
    await using made = await project();

    const memory = await made.run("health --url sqlite::memory:");
    const misspelt = await made.run("health --quickcheck");

    expect([memory.code, misspelt.code]).toEqual([2, 2]);
    expect(memory.err).toContain("private to its process");
  });

  it("looks for the backups where the configuration has them, by its thresholds", async () => {
    await using made = await project();
    const monitoring = { thresholds: { integrityAge: { warning: 0 }, diskFree: { warning: 0 } } };
    await writeFile(made.path("springhouse.config.json"), JSON.stringify({ monitoring }));

    const { out } = await made.run("health --json");

    const { checks } = JSON.parse(out) as Report;
    expect(checks.find(({ name }) => name === "backups")).toMatchObject({
      status: "warning",
      found: "none",
    });
    expect(checks.find(({ name }) => name === "integrity")?.status).toBe("healthy");
  });
});
