/**
 * Joins what `import "springhouse"` loads into a few files.
 *
 * esbuild makes a file for each set of entries that share modules; with many lazy parts these are
 * dozens, and at start-up each file costs about as much as fifty kilobytes of code. So the modules
 * that the main entry imports statically are made into one file for each set of `alone` entries
 * that need them too: whoever uses only the cache does not load the database. Everybody else
 * imports a module from the file that has it, by a name that is unique there.
 */

import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { type BuildOptions, build, type Metafile, type Plugin } from "esbuild";

/** The modules of one joined file. */
interface Joined {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly modules: string[];
}

/** What there is to join. */
export interface JoinOptions {
  readonly root: string;
  /** Its static imports are joined. Path below `root`, as all others. */
  readonly main: string;
  /** Entries that shall load no more than they need. */
  readonly alone: readonly string[];
  /** All entries, as esbuild takes them: output name to path. */
  readonly entries: Readonly<Record<string, string>>;
  /** Options of both builds. */
  readonly options: BuildOptions;
}

/** Where a module has gone. */
interface Home {
  readonly file: string;
  /** What its names end with there. */
  readonly ending: string;
  readonly names: readonly string[];
}

const FILE = /^joined-\d+$/;
const FILES = "joined";
/** As the compiler and the formatter want them: types are marked, and names are in braces. */
const IMPORT = /^(import|export) \{([^}]*)\} from "(\.[^"]+\.ts)";/gm;
const LAZY_IMPORT = /(?<!typeof )\bimport\("(\.[^"]+\.ts)"\)/g;

/** Entries for the joined files, and the plugin that leads imports there. */
export async function joinChunks(
  given: JoinOptions,
): Promise<{ readonly entries: Record<string, string>; readonly plugin: Plugin }> {
  const joined = await groups(given);
  const paths = joined.flatMap(({ modules }) => modules);
  const names = await exportsOf(paths, given.options);
  const homes = new Map<string, Home>();
  for (const { name, modules } of joined) {
    for (const path of modules) {
      homes.set(path, { file: name, ending: `$${homes.size}`, names: names.get(path) ?? [] });
    }
  }
  return {
    entries: Object.fromEntries(joined.map(({ name }) => [name, name])),
    plugin: pluginFor(homes, given.root),
  };
}

/** Builds the joined files, and leads every import of their modules there. */
function pluginFor(homes: ReadonlyMap<string, Home>, root: string): Plugin {
  const below = (path: string): string => relative(root, path);
  return {
    name: "joined chunks",
    setup(builder) {
      builder.onResolve({ filter: FILE }, ({ path, kind }) =>
        kind === "entry-point"
          ? { path, namespace: FILES }
          : { path: `./${path}.js`, external: true },
      );
      builder.onLoad({ filter: /./, namespace: FILES }, ({ path: file }) => {
        const lines = [...homes].map(([path, home]) =>
          home.file === file ? give(path, home) : "",
        );
        return { contents: lines.join("\n"), resolveDir: root };
      });
      builder.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const own = homes.get(below(path))?.file;
        const homeOf = (from: string): Home | undefined =>
          homes.get(below(resolve(dirname(path), from)));
        const contents = readFileSync(path, "utf8")
          .replace(IMPORT, (line: string, kind: string, list: string, from: string) => {
            const home = homeOf(from);
            return home === undefined || home.file === own ? line : take(kind, list, home);
          })
          .replace(LAZY_IMPORT, (call: string, from: string) => {
            const home = homeOf(from);
            return home === undefined ? call : takeLater(home);
          });
        return { contents, loader: "ts" };
      });
    },
  };
}

/** Gives what a module exports on, by names that no other module of the file has. */
function give(path: string, { names, ending }: Home): string {
  const list = names.map((name) => `${name} as ${name}${ending}`).join(", ");
  return `export { ${list} } from "./${path}";`;
}

/** An import or a re-export, by the names of the file. */
function take(kind: string, list: string, { file, ending }: Home): string {
  const names = list
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "" && !each.startsWith("type "))
    .map((each) => {
      const [name = "", local = name] = each.split(" as ");
      return `${name}${ending} as ${local}`;
    });
  return `${kind} { ${names.join(", ")} } from "${file}";`;
}

/** A dynamic import, whose module has its own names again. */
function takeLater({ file, ending, names }: Home): string {
  const own = names.map((name) => `${name}: joined.${name}${ending}`).join(", ");
  return `import("${file}").then((joined) => ({ ${own} }))`;
}

/** The static imports of the main entry, by the `alone` entries that have them too. */
async function groups({ main, alone, entries, options }: JoinOptions): Promise<readonly Joined[]> {
  const { metafile } = await build({
    ...options,
    entryPoints: { ...entries },
    splitting: true,
    write: false,
    metafile: true,
  });
  const others = alone.map((entry) => closureOf(entry, metafile));
  const groupOf = new Map<string, Joined>();
  for (const path of closureOf(main, metafile)) {
    if (path === main) continue;
    const key = others.map((each) => each.has(path)).join();
    const group = groupOf.get(key) ?? { name: `joined-${groupOf.size + 1}`, modules: [] };
    group.modules.push(path);
    groupOf.set(key, group);
  }
  return [...groupOf.values()];
}

/** A module and all that it imports statically. */
function closureOf(entry: string, { inputs }: Metafile): ReadonlySet<string> {
  const closure = new Set<string>([entry]);
  for (const path of closure) {
    for (const { kind, external, path: next } of inputs[path]?.imports ?? []) {
      if (kind === "import-statement" && external !== true) closure.add(next);
    }
  }
  return closure;
}

/** The names that modules export once their types are gone. */
async function exportsOf(
  modules: readonly string[],
  { absWorkingDir, format, target }: BuildOptions,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { metafile } = await build({
    ...(absWorkingDir === undefined ? {} : { absWorkingDir }),
    ...(format === undefined ? {} : { format }),
    ...(target === undefined ? {} : { target }),
    entryPoints: [...modules],
    outdir: "unwritten",
    write: false,
    metafile: true,
  });
  return new Map(
    Object.values(metafile.outputs).map(({ entryPoint = "", exports }) => [entryPoint, exports]),
  );
}
