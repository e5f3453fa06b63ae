/** What can be reached from where: cycles, dead files, and the public entry points. */

import { importsOf, type Project, sources, workersOf } from "./project.ts";

/** Each cycle of static imports once, types included; a dynamic import does not close a cycle. */
export function cycles(project: Project): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const stack: string[] = [];
  const visit = (path: string): void => {
    const start = stack.indexOf(path);
    if (start >= 0) {
      found.push(
        `${[...stack.slice(start), path].join(" → ")}: a cycle. ` +
          "Move what two of them need into a file of its own.",
      );
      return;
    }
    if (done.has(path)) return;
    stack.push(path);
    for (const { target, dynamic } of importsOf(path, project.files.get(path) ?? "")) {
      if (target !== undefined && !dynamic) visit(target);
    }
    stack.pop();
    done.add(path);
  };
  for (const [path] of sources(project, "src")) visit(path);
  return found;
}

/** Sources that no public index, no command and no worker leads to. */
export function deadFiles(project: Project): string[] {
  const reached = new Set<string>();
  const visit = (path: string): void => {
    const text = project.files.get(path);
    if (text === undefined || reached.has(path)) return;
    reached.add(path);
    for (const { target } of importsOf(path, text)) if (target !== undefined) visit(target);
    for (const worker of workersOf(path, text)) visit(`${worker}.ts`);
  };
  visit("src/cli/main.ts");
  for (const index of publicIndexes(project)) visit(index);
  return [...sources(project, "src")]
    .filter(([path]) => !reached.has(path))
    .map(([path]) => `${path}: nothing public leads here. Export it, use it or delete it.`);
}

/** Differences between `exports` in package.json and the `index.ts` files of `src`. */
export function wrongExports(project: Project): string[] {
  const { exports = {} } = JSON.parse(project.files.get("package.json") ?? "{}") as {
    exports?: Record<string, unknown>;
  };
  const wrong: string[] = [];
  const expected = new Map(publicIndexes(project).map((path) => [subpathOf(path), path]));
  for (const [subpath, index] of expected) {
    const dist = index.replace(/^src/, "./dist").replace(/\.ts$/, "");
    const right = {
      "springhouse-source": `./${index}`,
      types: `${dist}.d.ts`,
      default: `${dist}.js`,
    };
    if (JSON.stringify(exports[subpath]) === JSON.stringify(right)) continue;
    wrong.push(`package.json: exports["${subpath}"] must be ${JSON.stringify(right)}.`);
  }
  for (const subpath of Object.keys(exports)) {
    if (expected.has(subpath) || subpath === "./package.json") continue;
    wrong.push(`package.json: exports["${subpath}"] has no index.ts. Write it or remove the line.`);
  }
  return wrong;
}

function publicIndexes(project: Project): string[] {
  return [...sources(project, "src")]
    .map(([path]) => path)
    .filter((path) => path.endsWith("/index.ts"));
}

/** `src/index.ts` is ".", any other is named by its folder: `src/migrate/index.ts` "./migrate". */
function subpathOf(index: string): string {
  const folder = index.split("/").at(-2) ?? "";
  return folder === "src" ? "." : `./${folder}`;
}
