import {
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { contentDifferences, contentOf } from "../../src/backup/content.ts";
import { createBackup } from "../../src/backup/create.ts";
import { type BackupEntry, listBackups } from "../../src/backup/list.ts";
import { pruneBackups } from "../../src/backup/prune.ts";
import { restoreBackup } from "../../src/backup/restore.ts";
import { verifyBackup } from "../../src/backup/verify.ts";
import {
  execute,
  failureOf,
  fillDatabase,
  KEY,
  makePlace,
  OTHER_KEY,
  type Place,
} from "./support.ts";

async function made(
  key?: string,
): Promise<Place & { readonly backup: BackupEntry; readonly data: string }> {
  const place = makePlace();
  fillDatabase(place.path, 2_000);
  const backup = await createBackup(optionsOf(place, key));
  const data = join(backup.path, backup.manifest?.data.file ?? "");
  return { ...place, backup, data };
}

function optionsOf({ url, directory }: Place, key: string | undefined) {
  return { url, directory, name: "b", ...(key === undefined ? {} : { key }) };
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  const place = at < 0 ? bytes.length + at : at;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

describe("the proof of a backup", () => {
  it("says how much was checked, and is kept with the backup", async () => {
    const { directory, backup } = await made();
    rmSync(join(backup.path, "verified.json"));

    const { proof } = await verifyBackup({ directory, name: "b" });

    expect(proof).toMatchObject({ tables: 2, rows: 2_002, foreignKeyViolations: 0 });
    expect(proof.bytes).toBe(backup.manifest?.database.sizeBytes);
    const [listed] = await listBackups({ directory });
    expect(listed?.verification).toMatchObject({ ok: true, proof });
    expect(readdirSync(directory)).toEqual(["b"]);
  });

  it.each([undefined, KEY])("finds every kind of damage of the data (key: %j)", async (key) => {
    const { directory, backup, data } = await made(key);
    const sound = `${data}.sound`;
    copyFileSync(data, sound);
    const options = { directory, name: "b", ...(key === undefined ? {} : { key }) };
    const damages: readonly (() => void)[] = [
      () => flip(data, 5_000),
      () => flip(data, -1),
      () => truncateSync(data, 4_000),
      () => rmSync(data),
    ];

    for (const damage of damages) {
      copyFileSync(sound, data);
      damage();
      const failure = await failureOf(verifyBackup(options));
      expect(failure).toMatchObject({ code: "BACKUP_DAMAGED", fields: { name: "b" } });
      expect(failure.message).toContain("database.zst");
    }

    expect((await listBackups({ directory }))[0]?.verification).toMatchObject({ ok: false });
    copyFileSync(sound, data);
    await verifyBackup(options);
    expect((await listBackups({ directory }))[0]?.verification).toMatchObject({ ok: true });
    expect(backup.problem).toBeUndefined();
  });

  it("does not take data that was sealed for another backup", async () => {
    const place = await made(KEY);
    execute(place.path, "UPDATE weeks SET label = 'other'");
    const other = await createBackup({
      url: place.url,
      directory: place.directory,
      name: "c",
      key: KEY,
    });
    const manifest = JSON.parse(readFileSync(join(other.path, "manifest.json"), "utf8")) as object;
    copyFileSync(place.data, join(other.path, "database.zst.enc"));

    const failure = await failureOf(
      verifyBackup({ directory: place.directory, name: "c", key: KEY }),
    );

    expect(Object.keys(manifest)).toContain("checksum");
    expect(failure.code).toBe("BACKUP_DAMAGED");
  });

  it.each([undefined, KEY])("takes no link for the data, as no list does (key %s)", async (key) => {
    const { path, url, directory, folder } = makePlace();
    fillDatabase(path, 1);
    const sealed = key === undefined ? {} : { key };
    await createBackup({ url, directory, name: "linked", ...sealed });
    const data = join(directory, "linked", key === undefined ? "database.zst" : "database.zst.enc");
    renameSync(data, join(folder, "moved"));
    symlinkSync(join(folder, "moved"), data);

    const [entry] = await listBackups({ directory });
    const options = { directory, name: "linked", ...sealed };
    const verified = await failureOf(verifyBackup(options));
    const restored = await failureOf(restoreBackup({ ...options, url }));

    expect([verified.code, restored.code]).toEqual(["BACKUP_DAMAGED", "BACKUP_DAMAGED"]);
    const why = "is a link, and nothing outside of its folder is read";
    for (const said of [entry?.problem, verified.message, restored.message]) {
      expect(said).toContain(why);
    }
  });

  it("finds a manifest that was altered, cut off, removed or moved", async () => {
    const { url, directory, backup } = await made();
    const path = join(backup.path, "manifest.json");
    const text = readFileSync(path, "utf8");
    const altered = [text.replace('"rows": 2000', '"rows": 2001'), text.slice(0, 300), "[]", ""];

    for (const wrong of altered) {
      expect(wrong).not.toBe(text);
      writeFileSync(path, wrong);
      expect((await failureOf(verifyBackup({ directory, name: "b" }))).code).toBe("BACKUP_DAMAGED");
      expect((await listBackups({ directory }))[0]?.problem).toContain("manifest.json");
    }
    rmSync(path);
    expect((await failureOf(verifyBackup({ directory, name: "b" }))).code).toBe("BACKUP_DAMAGED");
    expect((await listBackups({ directory }))[0]?.problem).toContain("manifest.json is missing");
    const { decisions } = await pruneBackups({ directory, keepLast: 1 });
    expect(decisions).toEqual([{ name: "b", action: "keep", reasons: ["cannot be read"] }]);
    const again = createBackup({ url, directory, name: "b" });
    expect((await failureOf(again)).code).toBe("BACKUP_EXISTS");
    writeFileSync(path, text);
    renameSync(backup.path, join(directory, "c"));
    const moved = await failureOf(verifyBackup({ directory, name: "c" }));
    expect(moved.message).toContain("is the manifest of b");
  });

  it("needs the key, and says which when it is another one", async () => {
    const { directory, backup } = await made(KEY);
    const id = backup.manifest?.data.encryption?.keyId;

    const none = await failureOf(verifyBackup({ directory, name: "b" }));
    const other = await failureOf(verifyBackup({ directory, name: "b", key: OTHER_KEY }));

    expect(none).toMatchObject({ code: "BACKUP_KEY", fields: { keyId: id } });
    expect(other).toMatchObject({ code: "BACKUP_KEY", fields: { keyId: id } });
    expect(`${none.message}${other.message}`).not.toContain(OTHER_KEY);
    // Neither says anything about the backup.
    expect((await listBackups({ directory }))[0]?.verification).toMatchObject({ ok: true });
  });

  it("needs a backup", async () => {
    const { directory } = makePlace();

    expect((await failureOf(verifyBackup({ directory, name: "b" }))).code).toBe("BACKUP_NOT_FOUND");
  });
});

describe("the digests of a database", () => {
  const content = (...statements: string[]) => {
    using database = new DatabaseSync(":memory:", { returnArrays: true });
    for (const sql of ["CREATE TABLE t (a, b)", ...statements]) database.exec(sql);
    return contentOf(database);
  };
  const insert = (values: string): string => `INSERT INTO t VALUES ${values}`;

  it.each([
    ["a value", "(1, 2)", "(1, 3)"],
    ["a type", "(1, 2)", "(1, 2.0)"],
    ["text for bytes", "('ab', 2)", "(x'6162', 2)"],
    ["NULL for nothing", "(NULL, '')", "('', NULL)"],
    ["a limit between two texts", "('ab', 'c')", "('a', 'bc')"],
    ["a limit between two rows", "(1, 2), (3, 4)", "(1, 2), (4, 3)"],
    ["a great integer", "(9007199254740993, 1)", "(9007199254740992, 1)"],
    ["a long text", `('${"x".repeat(300_000)}', 1)`, `('${"x".repeat(299_999)}y', 1)`],
    ["a long blob", "(zeroblob(300000), 1)", "(zeroblob(299999), 1)"],
  ])("tell %s apart", (_, one, other) => {
    const [first, again, second] = [one, one, other].map((values) => content(insert(values)));

    expect(first).toEqual(again);
    expect(first?.tables[0]?.digest).not.toBe(second?.tables[0]?.digest);
  });

  it("differ in words", () => {
    const one = content(insert("(1, 1)"), "CREATE TABLE u (a)");
    const other = content("CREATE TABLE v (a)");

    expect(contentDifferences(one, other)).toEqual([
      "the schema is another one",
      "table t has 0 rows instead of 1",
      "table u is missing",
      "table v is too many",
    ]);
    expect(contentDifferences(one, one)).toEqual([]);
  });
});
