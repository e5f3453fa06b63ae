/** Shipping from a thread while an application writes, and restoring over its database. */

import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Progress } from "../../../src/backup/protocol.ts";
import { restoreToTime } from "../../../src/backup/restore-to-time.ts";
import { checkSegments } from "../../../src/backup/segments/check.ts";
import type { ShipEvent } from "../../../src/backup/segments/shipper.ts";
import { type ShippingOptions, startShipping } from "../../../src/backup/segments/shipping.ts";
import { openSqliteStore } from "../../../src/store/sqlite/store.ts";
import type { Statement } from "../../../src/store/store.ts";
import { FakeS3 } from "../fake-s3.ts";
import { contentHash, hashOfFile } from "./support.ts";

interface App {
  readonly path: string;
  readonly url: string;
  readonly directory: string;
  readonly store: Awaited<ReturnType<typeof openSqliteStore>>;
  write(rows: number): Promise<void>;
  hash(): string;
}

const statement = (sql: string, ...parameters: number[]): Statement => ({ sql, parameters });

async function newApp(): Promise<App> {
  const folder = mkdtempSync(join(tmpdir(), "springhouse-shipping-"));
  const path = join(folder, "app.db");
  const store = await openSqliteStore({ url: { kind: "file", path } });
  onTestFinished(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await store.write([statement("CREATE TABLE t (id INTEGER PRIMARY KEY, filler BLOB) STRICT")]);
  return {
    path,
    url: `sqlite:${path}`,
    directory: join(folder, "backups"),
    store,
    async write(rows) {
      const insert = statement("INSERT INTO t (filler) VALUES (randomblob(?))", 1_000);
      await Promise.all(Array.from({ length: rows }, () => store.write([insert])));
    },
    hash() {
      using database = new DatabaseSync(path, { readOnly: true });
      return contentHash(database);
    },
  };
}

async function start(app: App, options: Partial<ShippingOptions> = {}) {
  const events: ShipEvent[] = [];
  const shipping = await startShipping({
    url: app.url,
    to: join(app.directory, "segments"),
    interval: "20ms",
    onEvent: (event) => events.push(event),
    ...options,
  });
  onTestFinished(() => shipping.close().catch(() => undefined));
  return { shipping, events };
}

describe("shipping in a thread", () => {
  it("has everything in the store that was committed before a flush", async () => {
    const app = await newApp();
    const { shipping, events } = await start(app);

    for (let round = 0; round < 5; round++) await app.write(200);
    const state = await shipping.flush();

    expect(state).toMatchObject({ hasBase: true });
    expect(events.filter(({ kind }) => kind === "failed")).toEqual([]);
    const other = join(app.directory, "..", "other.db");
    const report = await restoreToTime({ directory: app.directory, url: `sqlite:${other}` });
    expect(report.proof).toMatchObject({ rows: 1_000, foreignKeyViolations: 0 });
    expect(report.replaced).toEqual({ state: "absent" });
    expect(hashOfFile(other)).toBe(app.hash());
    expect(statSync(other).mode & 0o777).toBe(0o600);
  });

  it("reaches a bucket of S3 encrypted, and a restore finds everything there", async () => {
    const fake = await FakeS3.start();
    const app = await newApp();
    const key = "ab".repeat(32);
    const { shipping } = await start(app, { to: fake.place(), key });
    await app.write(50);
    await shipping.flush();
    const other = join(app.directory, "..", "other.db");

    const url = `sqlite:${other}`;
    const options = { directory: app.directory, url, from: fake.place() };
    await expect(restoreToTime(options)).rejects.toMatchObject({ code: "BACKUP_KEY" });
    await restoreToTime({ ...options, key });

    expect(hashOfFile(other)).toBe(app.hash());
    expect([...fake.objects.keys()].every((name) => name.startsWith("app/segments/"))).toBe(true);
  });

  it("is refused while another one ships the same database, and free again after it", async () => {
    const app = await newApp();
    const { shipping } = await start(app);

    await expect(start(app)).rejects.toMatchObject({ code: "BUSY" });

    await shipping.close();
    const { events } = await start(app);
    expect(events[0]).toMatchObject({ kind: "resumed" });
  });

  it("leaves nothing behind that hinders the application, when it is closed", async () => {
    const app = await newApp();
    const { shipping } = await start(app);
    await app.write(50);
    await app.store.close();

    await shipping.close();

    expect(existsSync(`${app.path}-wal`)).toBe(false);
    await expect(shipping.flush()).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("names what is wrong with its options, and refuses what cannot be shipped", async () => {
    const app = await newApp();

    await expect(start(app, { interval: "soon" })).rejects.toThrow(/startShipping: interval/);
    await expect(start(app, { to: "ftp://x" })).rejects.toMatchObject({ code: "INVALID_URL" });
    await expect(start(app, { url: "sqlite::memory:" })).rejects.toThrow(/temporary/);
    await expect(start(app, { url: `${app.url}-none` })).rejects.toMatchObject({
      code: "UNOPENABLE",
    });
    const misspelt = { intervall: "1s" } as Partial<ShippingOptions>;
    await expect(start(app, misspelt)).rejects.toThrow(/Did you mean "interval"/);
  });
});

describe("a restore to a moment", () => {
  it("says what it would do, and then puts the database back to then", async () => {
    const app = await newApp();
    const { shipping } = await start(app);
    await app.write(20);
    const { shippedMs = 0 } = await shipping.flush();
    const then = { time: new Date(shippedMs), hash: app.hash() };
    // What is written now is seen at a later millisecond.
    while (Date.now() <= shippedMs) await app.write(1);
    await app.store.write([statement("DELETE FROM t")]);
    await shipping.flush();
    await app.store.close();
    await shipping.close();
    const { directory, url, path } = app;

    const plan = await restoreToTime({ directory, url, time: then.time, dryRun: true });
    expect(plan).toMatchObject({ dryRun: true, database: path, proof: undefined });
    expect(plan.reaches.getTime()).toBeLessThanOrEqual(shippedMs);
    expect(plan.files).toBeGreaterThan(0);
    expect(plan.bytes).toBeGreaterThan(0);
    const report = await restoreToTime({ directory, url, time: then.time });

    expect(report.reaches).toEqual(plan.reaches);
    expect(report.replaced).toMatchObject({ state: "kept", backup: expect.any(String) });
    using database = new DatabaseSync(path);
    expect(database.prepare("SELECT count(*) AS n FROM t").get()).toEqual({ n: 20 });
  });

  it("is refused by its dry run for a damaged segment, and for a wrong key", async () => {
    const app = await newApp();
    const key = "ab".repeat(32);
    const { shipping } = await start(app, { key });
    await app.write(5);
    await shipping.flush();
    await shipping.close();
    const { directory, url } = app;
    const seen: Progress[] = [];
    const onProgress = (progress: Progress): number => seen.push(progress);
    const rehearsal = { directory, url, key, dryRun: true, onProgress };
    const { files } = await restoreToTime(rehearsal);
    const [folder = ""] = readdirSync(join(directory, "segments"));
    const changes = readdirSync(join(directory, "segments", folder)).filter((name) =>
      name.startsWith("wal-"),
    );
    const last = join(directory, "segments", folder, changes.at(-1) ?? "");

    expect(seen).toHaveLength(files);
    expect(seen.at(-1)).toEqual({ step: "read", done: files, total: files, unit: "files" });
    await expect(restoreToTime({ ...rehearsal, key: "cd".repeat(32) })).rejects.toMatchObject({
      code: "BACKUP_KEY",
    });
    truncateSync(last, statSync(last).size - 1);
    await expect(restoreToTime(rehearsal)).rejects.toMatchObject({ code: "SEGMENT_DAMAGED" });
  });

  it("is refused while the database is in use, which is left as it is", async () => {
    const app = await newApp();
    const { shipping } = await start(app);
    await app.write(5);
    await shipping.flush();
    const before = app.hash();

    const { directory, url } = app;
    await expect(restoreToTime({ directory, url })).rejects.toMatchObject({
      code: "DATABASE_IN_USE",
    });

    expect(app.hash()).toBe(before);
  });

  it("before the first base is refused with what there is", async () => {
    const app = await newApp();
    const { shipping } = await start(app);
    await shipping.flush();

    const { directory, url } = app;
    const time = new Date(0);
    await expect(restoreToTime({ directory, url, time, dryRun: true })).rejects.toMatchObject({
      code: "RESTORE_POINT_UNKNOWN",
    });
  });
});

describe("a check of the segments", () => {
  it("reports what can be restored, and names a damaged file when it reads them", async () => {
    const app = await newApp();
    const from = join(app.directory, "segments");
    const { shipping } = await start(app);
    await app.write(5);
    await shipping.flush();

    const [report] = await checkSegments({ from, read: true });

    expect(report).toMatchObject({ problem: undefined });
    expect(report?.fromMs).toBeLessThanOrEqual(report?.toMs ?? 0);
    expect(report?.files).toBeGreaterThanOrEqual(2);
    expect(await checkSegments({ from: join(app.directory, "empty") })).toEqual([]);
    await shipping.close();
    const folder = join(from, report?.folder ?? "");
    const last = readdirSync(folder)
      .filter((name) => name.startsWith("wal-"))
      .at(-1);
    rmSync(join(folder, last ?? ""));
    const problem = expect.stringContaining("is missing at the end");
    expect(await checkSegments({ from })).toMatchObject([{ isEndKnown: true, problem }]);
    rmSync(folder, { recursive: true });
    expect(await checkSegments({ from })).toMatchObject([{ files: 0, problem }]);
  });
});
