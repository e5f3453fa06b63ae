import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { Project } from "./support.ts";

describe("springhouse init", () => {
  it("writes a configuration, a schema and the folder of migrations", async () => {
    await using project = await Project.make();

    const { code, out } = await project.run("init");

    expect(code).toBe(0);
    expect(out).toContain("wrote springhouse.config.ts\nwrote schema.ts\n");
    expect((await readdir(project.folder)).sort()).toEqual([
      "migrations",
      "schema.ts",
      "springhouse.config.ts",
    ]);
  });

  it("writes a configuration that names no key that is unknown", async () => {
    await using project = await Project.make();
    await project.run("init");
    const text = await readFile(project.path("springhouse.config.ts"), "utf8");
    const written = /defineConfig\((\{[\s\S]*\})\)/.exec(text)?.[1] ?? "";
    const overrides = new Function(`return ${written}`)() as object;
    await rm(project.path("springhouse.config.ts"));

    const config = await loadConfig({ cwd: project.folder, env: {}, overrides });

    expect(config.database.url).toBe(`sqlite:${project.path("app.db")}`);
    expect(config.entities).toBe(project.path("schema.ts"));
  });

  it("writes modules that load in a package of CommonJS, as npm makes it", async () => {
    const manifest = { "package.json": '{ "name": "app", "type": "commonjs" }' };
    await using project = await Project.make(manifest);
    await using plain = await Project.make({
      ...manifest,
      "springhouse.config.ts": 'import "node:path";\nexport default {};',
    });

    const { out } = await project.run("init");
    const refused = await plain.run("migrate status");

    expect(out).toContain("wrote springhouse.config.mts\nwrote schema.mts\n");
    expect(await readFile(project.path("springhouse.config.mts"), "utf8")).toContain(
      'entities: "./schema.mts"',
    );
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/outside a module\..* set "type": "module" in the package\.json/);
    await writeFile(project.path("springhouse.config.mts"), "export default {};");
    expect((await project.run("migrate status")).code).toBe(0);
  });

  it("refuses to overwrite, and writes nothing at all then", async () => {
    await using project = await Project.make({ "schema.ts": "mine" });

    const { code, err } = await project.run("init");

    expect(code).toBe(2);
    expect(err).toContain("schema.ts exists. Nothing was written; --force overwrites.");
    expect(await readdir(project.folder)).toEqual(["schema.ts"]);
  });

  it("refuses beside a configuration in another form, which would make two", async () => {
    await using project = await Project.make({ "springhouse.config.json": "{}", "schema.ts": "" });

    const { err } = await project.run("init");

    expect(err).toContain("schema.ts and springhouse.config.json exist.");
  });

  it("overwrites with --force", async () => {
    await using project = await Project.make({ "schema.ts": "mine" });

    expect((await project.run("init --force")).code).toBe(0);

    expect(await readFile(project.path("schema.ts"), "utf8")).toContain("entity(");
  });

  it("writes nothing with --dry-run, in words and as JSON", async () => {
    await using project = await Project.make();

    const text = await project.run("init --dry-run");
    const json = await project.run("init --dry-run --json");

    expect(text.out).toContain("would write springhouse.config.ts");
    expect(JSON.parse(json.out)).toEqual({
      ok: true,
      written: false,
      files: ["springhouse.config.ts", "schema.ts", "migrations/.gitkeep"],
    });
    expect(await readdir(project.folder)).toEqual([]);
  });
});
