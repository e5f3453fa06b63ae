/** Projects with one entity and its migrations, copied from one that is made once. */

import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { Project } from "./support.ts";

const SCHEMA = join(import.meta.dirname, "../../src/schema");

/** Entities as a user writes them, with the sources in the place of the package. */
export function schema(columns: string): string {
  return `
    import { entity } from ${JSON.stringify(join(SCHEMA, "entity.ts"))};
    import { t } from ${JSON.stringify(join(SCHEMA, "column.ts"))};
    export const Note = entity("notes", { id: t.int().primaryKey(), ${columns} });
    export const notAnEntity = 5;
  `;
}

const CONFIG = JSON.stringify({ entities: "./schema.ts" });

export function project(columns = "title: t.text()"): Promise<Project> {
  return Project.make({ "springhouse.config.json": CONFIG, "schema.ts": schema(columns) });
}

let template: Project;

beforeAll(async () => {
  template = await project();
  await template.run("migrate new first");
  await template.run("migrate up");
});
afterAll(() => template[Symbol.asyncDispose]());

/** A project whose first migration is written and applied. */
export async function migrated(): Promise<Project> {
  const made = await Project.make();
  await cp(template.folder, made.folder, { recursive: true });
  return made;
}

/** A project whose first migration is written. */
export async function written(): Promise<Project> {
  const made = await migrated();
  await rm(made.path("app.db"));
  return made;
}

/** The entities change, as a user would change them. */
export async function redeclare(made: Project, columns: string): Promise<void> {
  await writeFile(made.path("schema2.ts"), schema(columns));
  await writeFile(made.path("springhouse.config.json"), '{ "entities": "./schema2.ts" }');
}

/** A migrated project with a pending migration that takes a column away. */
export async function withDestructive(): Promise<Project> {
  const made = await migrated();
  await redeclare(made, "");
  await writeFile(
    made.path("migrations/0002_drop_title.sql"),
    "-- up\nALTER TABLE notes DROP COLUMN title;\n" +
      "-- down\nALTER TABLE notes ADD COLUMN title TEXT NOT NULL DEFAULT '';\n",
  );
  return made;
}
