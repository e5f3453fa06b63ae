import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Project } from "./support.ts";

const SCHEMA = join(import.meta.dirname, "../../src/schema");
const MODULE = `
  import { entity } from ${JSON.stringify(join(SCHEMA, "entity.ts"))};
  import { t } from ${JSON.stringify(join(SCHEMA, "column.ts"))};
  import { count, sum } from ${JSON.stringify(join(SCHEMA, "measure.ts"))};
  import { rollup } from ${JSON.stringify(join(SCHEMA, "rollup.ts"))};
  export const Task = entity("tasks", { id: t.int().primaryKey(), week: t.int(), score: t.int() });
  const by = { week: Task.week };
  export const rollups = [
    rollup("weeks", Task, { by, measures: { tasks: count(), score: sum(Task.score) } }),
    rollup("totals", Task, { by: {}, measures: { tasks: count() } }),
  ];
`;
const FILES = { "springhouse.config.json": '{ "entities": "./schema.ts" }', "schema.ts": MODULE };
const BREAK = `UPDATE springhouse_rollup_weeks SET ".rows" = 9 WHERE week = 1;
  DROP TRIGGER "springhouse_rollup_weeks.insert"; INSERT INTO tasks VALUES (9, 2, 5)`;

/** A project with a migrated database and three tasks. */
async function made(): Promise<Project> {
  const project = await Project.make(FILES);
  await project.run("migrate new first");
  await project.run("migrate up");
  project.sql("app.db", "INSERT INTO tasks VALUES (1, 1, 5), (2, 1, 6), (3, 2, 7)");
  return project;
}

describe("the rollup commands", () => {
  it("find nothing wrong, then what somebody has altered, and make it right", async () => {
    await using project = await made();

    const before = await project.run("rollup verify");
    project.sql("app.db", BREAK);
    const broken = await project.run("rollup verify");
    const rebuilt = await project.run("rollup rebuild --batch-rows 2");
    const after = await project.run("rollup verify --json");

    expect(before).toEqual({ code: 0, out: "ok    weeks\nok    totals\n", err: "" });
    expect(broken.code).toBe(1);
    expect(broken.out).toBe(
      "wrong weeks\n      trigger springhouse_rollup_weeks.insert is missing\n" +
        "      springhouse_rollup_weeks week = 1: .rows = 9, score.high = 0, score.low = 11, " +
        "a recount gives .rows = 2, score.high = 0, score.low = 11\n" +
        "      springhouse_rollup_weeks week = 2: .rows = 1, score.high = 0, score.low = 7, " +
        "a recount gives .rows = 2, score.high = 0, score.low = 12\n" +
        "ok    totals\nRun: npx springhouse rollup rebuild\n",
    );
    expect(rebuilt).toEqual({
      code: 0,
      out:
        "rebuilt weeks: 4 rows counted; made again: trigger springhouse_rollup_weeks.insert\n" +
        "rebuilt totals: 4 rows counted\n",
      err: "",
    });
    expect(JSON.parse(after.out)).toMatchObject({
      ok: true,
      rollups: [
        { name: "weeks", ok: true },
        { name: "totals", ok: true, wrong: [] },
      ],
    });
    expect((await project.run("migrate verify")).code).toBe(0);
  });

  it("take names, and refuse those of no rollup", async () => {
    await using project = await made();

    expect(await project.run("rollup verify totals")).toMatchObject({
      code: 0,
      out: "ok    totals\n",
    });
    const refused = await project.run("rollup rebuild weks");
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.err).toContain('There is no rollup "weks". There are: weeks, totals.');
  });

  it.each(["verify", "rebuild"])("make no file where there is none: %s", async (name) => {
    await using project = await Project.make(FILES);

    const { code, err } = await project.run(`rollup ${name}`);

    expect(code).toBe(1);
    expect(err).toContain("does not exist");
    expect(existsSync(project.path("app.db"))).toBe(false);
  });

  it("say so when no rollup is declared", async () => {
    await using project = await Project.make();

    const { code, err } = await project.run("rollup verify");

    expect(code).toBe(2);
    expect(err).toContain("exports no rollup");
  });
});
