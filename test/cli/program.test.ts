import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/program.ts";
import { readVersion } from "../../src/cli/version.ts";
import { Project } from "./support.ts";

const DOCUMENT = readFileSync(join(import.meta.dirname, "../../docs/cli.md"), "utf8");

describe("the command line", () => {
  it("prints its version", async () => {
    await using project = await Project.make();

    expect(await project.run("--version")).toEqual({
      code: 0,
      out: `${readVersion()}\n`,
      err: "",
    });
  });

  it("explains itself and its exit codes", async () => {
    await using project = await Project.make();

    const { code, out } = await project.run("--help");

    expect(code).toBe(0);
    expect(out).toContain("Usage: springhouse [options] [command]");
    expect(out).toContain("130  interrupted");
    expect(out).toContain("143  ended by SIGTERM");
  });

  it.each(COMMANDS)(
    "explains $name with examples that begin with it",
    async ({ name, examples }) => {
      await using project = await Project.make();

      const { code, out } = await project.run(`${name} --help`);

      expect(code).toBe(0);
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) {
        expect(example.startsWith(`springhouse ${name}`)).toBe(true);
        expect(out).toContain(`$ ${example}`);
      }
    },
  );

  it.each(COMMANDS)("has $name and its options in docs/cli.md", ({ name, options = [] }) => {
    const [, section = ""] = DOCUMENT.split(`\n### ${name}\n`);
    const text = section.split("\n### ")[0] ?? "";

    expect(DOCUMENT).toContain(`\n### ${name}\n`);
    for (const { flags } of options) expect(text).toContain(`\`${flags}\``);
  });

  it.each(["--json", "migrate --json"])("answers %s with a document too", async (line) => {
    await using project = await Project.make();

    const { code, out } = await project.run(line);

    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ ok: false, error: { code: "USAGE" } });
  });

  it("without a command prints the help as an error", async () => {
    await using project = await Project.make();

    const bare = await project.run("");
    const group = await project.run("migrate");

    expect(bare).toMatchObject({ code: 2, out: "" });
    expect(bare.err).toContain("Usage: springhouse");
    expect(group).toMatchObject({ code: 2, out: "" });
    expect(group.err).toContain("Usage: springhouse migrate");
  });

  it.each([
    ["docter", "error USAGE: unknown command 'docter'. (Did you mean doctor?)"],
    ["doctor --jsn", "error USAGE: unknown option '--jsn'. (Did you mean --json?)"],
    ["migrate up --to x", "It must be a whole number."],
    ["migrate new", "missing required argument 'name'"],
    ["migrate up 1", "See springhouse migrate up --help."],
    ["migrate up --to 99", "there is no migration 99"],
    ["migrate down --steps 0", "steps must be a whole number from 1"],
    ["migrate new ../x", "cannot be the name of a migration"],
    ["migrate status --url postgres://db/a", "is not the URL of a SQLite database"],
    ["migrate down --to 1 --steps 2", "--steps and --to say the same"],
    ["migrate up --to 1 --only 2", "--to and --only exclude each other"],
  ])("answers %j with exit code 2 and the reason", async (line, message) => {
    await using project = await Project.make();
    await mkdir(project.path("migrations"));

    const { code, out, err } = await project.run(line);

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
    expect(err).not.toContain("    at ");
  });

  it("explains the options of every command with each command", async () => {
    await using project = await Project.make();

    const { out } = await project.run("migrate up --help");

    for (const option of ["--config", "--url", "--json", "--debug"]) expect(out).toContain(option);
  });

  it.each(["migrate status", "migrate plan", "migrate new a", "migrate up", "init", "doctor"])(
    "says as JSON whether %s went well",
    async (line) => {
      await using project = await Project.make();
      await mkdir(project.path("migrations"));

      expect(JSON.parse((await project.run(`${line} --json`)).out)).toMatchObject({ ok: true });
    },
  );

  it("prints an error as one JSON document too", async () => {
    await using project = await Project.make({ "springhouse.config.json": '{ "datbase": {} }' });

    const { code, out, err } = await project.run("migrate status --json");

    expect({ code, err }).toEqual({ code: 2, err: "" });
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      error: { code: "CONFIG", message: expect.stringContaining('Did you mean "database"?') },
    });
  });

  it("never prints a password", async () => {
    await using project = await Project.make();
    const url = "postgres://app:hunter2@db/main";

    const text = await project.run(`doctor --url ${url}`);
    const json = await project.run(`doctor --json --url ${url}`);
    const error = await project.run(`migrate status --debug --url ${url}`);

    expect([text, json, error].map(({ code }) => code)).toEqual([1, 1, 2]);
    for (const { out, err } of [text, json, error]) {
      expect(out + err).toContain("postgres://app:***@db/main");
      expect(out + err).not.toContain("hunter2");
    }
  });

  it("prints the stack only with --debug", async () => {
    await using project = await Project.make({ "springhouse.config.json": "{ oops" });

    const plain = await project.run("migrate status");
    const debug = await project.run("migrate status --debug");

    expect(plain.err).toMatch(/^error CONFIG: .*springhouse\.config\.json cannot be used/);
    expect(plain.err.trim().split("\n")).toHaveLength(1);
    expect(debug.err).toMatch(/ {4}at .*load\.ts/);
    expect(debug.err).toContain("Caused by: SyntaxError");
  });

  it("ends with 130 when it was interrupted", async () => {
    await using project = await Project.make();
    project.sql("app.db", "CREATE TABLE a (b)");

    const { code, err } = await project.run("doctor", { signal: AbortSignal.abort() });

    expect(code).toBe(130);
    expect(err).toContain("error ABORTED");
  });
});
