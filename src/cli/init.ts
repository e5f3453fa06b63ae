/** `springhouse init`: the first files of a project. */

import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CONFIG_FILES } from "../config/load.ts";
import { type CommandDefinition, type Invocation, isGiven, usageError } from "./command.ts";

const configText = (schema: string): string => `import { defineConfig } from "springhouse";

// Every key and its default: docs/configuration.md. Each can be set by the environment too:
// SPRINGHOUSE_DATABASE_URL=sqlite:/data/app.db
export default defineConfig({
  database: { url: "sqlite:app.db" },
  entities: "./${schema}",
  migrations: { directory: "migrations" },
});
`;

const SCHEMA = `import { entity, t } from "springhouse";

/** A sample to start from. After a change here, run: npx springhouse migrate new <name> */
export const Note = entity("notes", {
  id: t.int().primaryKey(),
  title: t.text({ minLength: 1, maxLength: 200 }),
  body: t.text().default(""),
  createdAt: t.timestamp().defaultNow(),
  updatedAt: t.timestamp().defaultNow().onUpdateNow(),
});
`;

/** Keeps the empty folder under version control. */
const KEEP = "";

interface NewFile {
  readonly path: string;
  readonly text: string;
}

/** In a package of CommonJS, which `npm init` makes, only `.mts` is read as a module. */
async function filesFor(cwd: string): Promise<readonly NewFile[]> {
  const extension = (await isCommonJs(cwd)) ? "mts" : "ts";
  return [
    { path: `springhouse.config.${extension}`, text: configText(`schema.${extension}`) },
    { path: `schema.${extension}`, text: SCHEMA },
    { path: join("migrations", ".gitkeep"), text: KEEP },
  ];
}

/** Whether the nearest `package.json` says so; without a word, Node.js looks at the file itself. */
async function isCommonJs(folder: string): Promise<boolean> {
  const path = join(folder, "package.json");
  if (!existsSync(path)) return dirname(folder) !== folder && (await isCommonJs(dirname(folder)));
  return /"type"\s*:\s*"commonjs"/.test(await readFile(path, "utf8"));
}

const NEXT = "Next: npx springhouse migrate new first, then npx springhouse migrate up";

export const init: CommandDefinition = {
  name: "init",
  summary: "Write a configuration, a sample entity and the folder of migrations",
  options: [
    { flags: "--force", doc: "overwrite files that exist" },
    { flags: "--dry-run", doc: "only say what would be written" },
  ],
  examples: ["springhouse init", "springhouse init --dry-run", "springhouse init --force"],
  async run(invocation) {
    const { cwd } = invocation.terminal;
    const dryRun = isGiven(invocation, "dryRun");
    const files = await filesFor(cwd);
    if (!isGiven(invocation, "force")) refuseToOverwrite(invocation, files);
    if (!dryRun) {
      await mkdir(join(cwd, "migrations"), { recursive: true });
      for (const { path, text } of files) await writeFile(join(cwd, path), text);
    }
    const paths = files.map(({ path }) => path);
    const verb = dryRun ? "would write" : "wrote";
    const lines = paths.map((path) => `${verb} ${path}`);
    return {
      ok: true,
      data: { written: !dryRun, files: paths },
      text: [...lines, ...(dryRun ? [] : [NEXT])].join("\n"),
    };
  },
};

/** All or nothing: one file that exists stops the command before the first is written. */
function refuseToOverwrite({ terminal: { cwd } }: Invocation, files: readonly NewFile[]): void {
  const names = [...files.map(({ path }) => path), ...CONFIG_FILES];
  const taken = [...new Set(names)].filter((name) => existsSync(join(cwd, name)));
  const known = taken.filter((name) => !name.endsWith(".gitkeep"));
  if (known.length === 0) return;
  const verb = known.length === 1 ? "exists" : "exist";
  throw usageError(`${known.join(" and ")} ${verb}. Nothing was written; --force overwrites.`);
}
