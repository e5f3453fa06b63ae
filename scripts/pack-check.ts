/**
 * Tries the package as its users get it: packs it, has publint look at it, installs the tarball in
 * an empty folder elsewhere and uses it there: the command line from `init` to `doctor`, programs
 * with their types checked, and the auditor copied out of the package. Leaves nothing behind.
 *
 * Run by `npm run pack:check`.
 */

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "springhouse-pack-"));

/** A user's first program: what compiles and prints the right thing here works for them too. */
const PROGRAM = `import { entity, open, t } from "springhouse";

const Note = entity("notes", { id: t.int().primaryKey(), title: t.text({ maxLength: 20 }) });
const db = await open({ url: "sqlite:notes.db", entities: [Note] });
const notes = db.repository(Note);
const created = await notes.create({ title: "fresh" });
const id: number = created.id;
const titleOf = db.cached("titleOf", async () => (await notes.get(id))?.title);
const title: string | undefined = await titleOf();
await db.close();
console.log(title);
`;

/** The cache alone, and calls with a cache behind them: no database, no Keyv, no limiter. */
const CACHE_PROGRAM = `import { cacheManager, createCache, keyvStore } from "springhouse/cache";
import { guard, rateLimited, withCacheFallback } from "springhouse/resilience";

const cache = createCache({ categories: { http: { ttl: "1m" }, users: {} } });
const store = keyvStore(cache.category("http"));
await store.set("a", "kept");
const text: unknown = await store.get("a");
const name: string = await cacheManager(cache.category("users")).wrap("7", () => "Kim");
const answer = withCacheFallback(cache, guard({ timeout: "1s", circuitBreaker: {} }));
const { value, stale } = await answer("a", ({ attempt }) => attempt);
const limited = rateLimited(cache, { consume: async () => undefined });
const allowed: number = await limited("me", 7, () => 1);
console.log(text, name, value, stale, allowed);
await cache.close();
`;

/** An application with Kysely of its own, which npm installs as the peer. */
const KYSELY_PROGRAM = `import { Kysely, sql } from "kysely";
import { springhouseDialect } from "springhouse/kysely";

const springhouse = await springhouseDialect({ url: "sqlite::memory:" });
const db = new Kysely<{ notes: { title: string } }>({ dialect: springhouse });
await sql\`CREATE TABLE notes (title TEXT)\`.execute(db);
const titled = springhouse.cached("titled", (title: string) =>
  db.selectFrom("notes").selectAll().where("title", "=", title).execute(),
);
const none = await titled("a");
await db.insertInto("notes").values({ title: "a" }).execute();
const found: { title: string }[] = await titled("a");
console.log(none.length, found.length, (await titled("a")) === found);
await db.destroy();
`;

/** As strict as a user may be, declarations of the package included. */
const COMPILER_OPTIONS = {
  target: "es2024",
  lib: ["es2024", "esnext.disposable"],
  module: "nodenext",
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: false,
  types: ["node"],
  typeRoots: [join(root, "node_modules/@types")],
};

try {
  const tarball = pack();
  await lint();
  install(tarball);
  tryCommandLine();
  tryProgram();
  tryExample();
  console.log("pack:check: the package works");
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pack(): string {
  const printed = run("npm", ["pack", "--json", "--pack-destination", folder], root);
  const [packed] = JSON.parse(printed.slice(printed.indexOf("[\n"))) as {
    readonly filename: string;
    readonly size: number;
    readonly entryCount: number;
  }[];
  if (packed === undefined) throw new Error("npm pack printed no file name.");
  const kilobytes = (packed.size / 1_024).toFixed(0);
  console.log(`packed ${packed.filename}: ${packed.entryCount} files, ${kilobytes} KB`);
  return join(folder, packed.filename);
}

async function lint(): Promise<void> {
  const { messages, pkg } = await publint({ pkgDir: root, pack: "npm" });
  for (const message of messages) console.error(formatMessage(message, pkg));
  if (messages.length > 0) throw new Error(`publint has ${messages.length} messages.`);
  console.log("publint has nothing to say");
}

function install(tarball: string): void {
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "user", private: true, type: "module" }),
  );
  run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", tarball]);
  console.log("installed");
}

function tryCommandLine(): void {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly version: string;
  };
  expectEqual("springhouse --version", run("npx", ["springhouse", "--version"]).trim(), version);
  const lines = ["init", "migrate new first", "migrate up", "migrate status", "doctor"];
  for (const line of [...lines, "cache stats"]) {
    run("npx", ["springhouse", ...line.split(" "), "--json"]);
    console.log(`springhouse ${line}: done`);
  }
}

function tryProgram(): void {
  writeFileSync(join(folder, "program.ts"), PROGRAM);
  writeFileSync(join(folder, "cache.ts"), CACHE_PROGRAM);
  writeFileSync(join(folder, "kysely.ts"), KYSELY_PROGRAM);
  const files = ["program.ts", "cache.ts", "kysely.ts", "schema.ts"];
  const tsconfig = { compilerOptions: COMPILER_OPTIONS, files };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  run(join(root, "node_modules/.bin/tsc"), ["-p", "."]);
  expectEqual("the program", run(process.execPath, ["program.ts"]).trim(), "fresh");
  const printed = run(process.execPath, ["cache.ts"]).trim();
  expectEqual("the program with a cache", printed, "kept Kim 1 false 1");
  const withKysely = run(process.execPath, ["kysely.ts"]).trim();
  expectEqual("the program with Kysely", withKysely, "0 1 true");
  console.log("programs compile and run");
}

function tryExample(): void {
  const examples = join(folder, "node_modules/springhouse/examples");
  for (const name of ["auditor", "common"]) {
    cpSync(join(examples, name), join(folder, name), { recursive: true });
  }
  const printed = run(process.execPath, ["auditor/main-job.ts", "--json", "--data", "none"]);
  const report = JSON.parse(printed) as { readonly integrity: { readonly ok: boolean } };
  expectEqual("the auditor's integrity check", report.integrity.ok, true);
  console.log("the auditor runs from the package");
}

/** Runs a tool with this very Node.js, and returns what it printed. */
function run(tool: string, parameters: readonly string[], cwd = folder): string {
  const path = `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`;
  const { status, stdout, stderr } = spawnSync(tool, parameters, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, PATH: path, NODE_V8_COVERAGE: "" },
  });
  if (status === 0) return stdout;
  throw new Error(`${tool} ${parameters.join(" ")} ended with ${status}.\n${stdout}\n${stderr}`);
}

function expectEqual<T>(what: string, actual: T, expected: T): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, not ${String(expected)}.`);
}
