/**
 * Makes `dist/`, which is what the package ships: Node.js strips no types inside `node_modules`.
 *
 * 1. `tsc` checks everything and writes one `.d.ts` for each source.
 * 2. `.ts` specifiers that the compiler leaves in declarations become `.js`.
 * 3. esbuild joins the sources into a few files: what costs time at start-up is the number of
 *    modules, not their size (joined-chunks.ts). What is imported dynamically stays apart, and is
 *    loaded when needed.
 * 4. Kysely becomes one file: its 262 modules cost 75 ms to import, the file less than 10.
 * 5. Every file that is started as a worker must exist, since no compiler checks a URL.
 *
 * Run by `npm run build`.
 */

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { joinChunks } from "./joined-chunks.ts";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
/** Entries that load no part of the database before they use it. */
const ALONE = ["src/cache/index.ts", "src/resilience/index.ts"];
/** What is loaded by `require` and its path, since its caller cannot wait. */
const REQUIRED = ["src/open/caching.ts"];

rmSync(dist, { recursive: true, force: true });
compile();
mendDeclarations();
await bundleSources();
await bundleKysely();
checkWorkers();
makeExecutable();
report();

function filesOf(pattern: string): string[] {
  return globSync(pattern, { cwd: dist }).map((path) => join(dist, path));
}

/** The compiler has printed what is wrong when it fails; a stack would only hide it. */
function compile(): void {
  const tsc = join(root, "node_modules/.bin/tsc");
  const { status } = spawnSync(tsc, ["-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

function mendDeclarations(): void {
  const specifier = /((?:from|import)\s*\(?\s*["']\.[^"']*)\.ts(["'])/g;
  for (const path of filesOf("**/*.d.ts")) {
    const text = readFileSync(path, "utf8");
    const mended = text.replace(specifier, "$1.js$2");
    if (mended !== text) writeFileSync(path, mended);
  }
}

/**
 * Public entries and the command line share their chunks, so that each class exists once. What is
 * required and each worker are files at the top, beside the chunk that asks for them.
 */
async function bundleSources(): Promise<void> {
  const shared = [...globSync("src/**/index.ts", { cwd: root }), "src/cli/main.ts"];
  const workers = globSync("src/**/*-{thread,process}.ts", { cwd: root });
  const entries = Object.fromEntries([
    ...shared.map((path) => [path.slice("src/".length, -3), path]),
    ...REQUIRED.map((path) => [basename(path, ".ts"), path]),
  ]);
  const options: BuildOptions = {
    absWorkingDir: root,
    outdir: dist,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node24",
    packages: "external",
    external: ["#kysely"],
    logLevel: "warning",
  };
  const joined = await joinChunks({ root, main: "src/index.ts", alone: ALONE, entries, options });
  await build({
    ...options,
    entryPoints: { ...joined.entries, ...entries },
    plugins: [joined.plugin],
    splitting: true,
    chunkNames: "chunk-[hash]",
  });
  // Written for the top of `dist`, where the chunks are.
  for (const path of filesOf("*/**/*.js")) {
    const text = readFileSync(path, "utf8");
    const up = `${relative(dirname(path), dist)}/`;
    writeFileSync(path, text.replaceAll('"./joined-', `"${up}joined-`));
  }
  await build({
    ...options,
    entryPoints: Object.fromEntries(workers.map((path) => [basename(path, ".ts"), path])),
  });
}

/** `#kysely` of package.json: values from the bundle, types from the dependency itself. */
async function bundleKysely(): Promise<void> {
  const vendor = join(dist, "vendor");
  mkdirSync(vendor, { recursive: true });
  await build({
    entryPoints: ["kysely"],
    absWorkingDir: root,
    outfile: join(vendor, "kysely.js"),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node24",
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "warning",
  });
  writeFileSync(join(vendor, "kysely.d.ts"), 'export * from "kysely";\n');
  copyFileSync(join(root, "node_modules/kysely/LICENSE"), join(vendor, "kysely.LICENSE"));
}

function checkWorkers(): void {
  const workerUrl = /\bnew URL\(\s*["'`](\.[^"'`$]*)/g;
  for (const path of filesOf("**/*.js")) {
    for (const [, url = ""] of readFileSync(path, "utf8").matchAll(workerUrl)) {
      const target = join(dirname(path), url);
      if (existsSync(target) || existsSync(`${target.replace(/\.$/, "")}.js`)) continue;
      throw new Error(
        `${relative(root, path)} starts ${url}, which is not in dist. Write the URL as ` +
          'new URL("./worker" + extname(import.meta.filename), import.meta.url).',
      );
    }
  }
}

function makeExecutable(): void {
  const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly bin: Readonly<Record<string, string>>;
  };
  for (const path of Object.values(bin)) chmodSync(join(root, path), 0o755);
}

function report(): void {
  const files = filesOf("**/*.{js,ts}");
  const kilobytes = files.reduce((sum, path) => sum + statSync(path).size, 0) / 1_024;
  console.log(`dist: ${files.length} files, ${kilobytes.toFixed(0)} KB`);
}
