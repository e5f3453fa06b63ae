/** The command as a process: its exit codes, its streams, its signals. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readVersion } from "../../src/cli/version.ts";
import { Project } from "./support.ts";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");

function start(project: Project, line: string): ChildProcessWithoutNullStreams {
  const parameters = ["--conditions=springhouse-source", MAIN, ...line.split(" ").filter(Boolean)];
  return spawn(process.execPath, parameters, { cwd: project.folder });
}

async function finish(child: ChildProcessWithoutNullStreams) {
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, err };
}

/** Migrations whose second one waits until it is interrupted. */
async function waiting(onAbort: string): Promise<Project> {
  const project = await Project.make();
  await mkdir(project.path("migrations"));
  await writeFile(project.path("migrations/0001_first.sql"), "-- up\nCREATE TABLE a (b);\n");
  await writeFile(
    project.path("migrations/0002_second.ts"),
    `
      export const up = "CREATE TABLE c (d)";
      export const data = (step) => new Promise((_, reject) => {
        const timer = setInterval(() => undefined, 1_000);
        step.signal.addEventListener("abort", () => { ${onAbort} });
        process.stderr.write("waiting");
      });
    `,
  );
  return project;
}

describe("the command springhouse", () => {
  it.each(["--version", "-V"])("answers %s", async (option) => {
    await using project = await Project.make();

    const { code, out, err } = await finish(start(project, option));

    expect({ code, out, err }).toEqual({ code: 0, out: `${readVersion()}\n`, err: "" });
  });

  it("loads nothing but itself for that", async () => {
    await using project = await Project.make();
    const loaded = `
      import { registerHooks } from "node:module";
      registerHooks({ load: (url, context, next) => {
        process.stderr.write(url.split("/").pop() + " ");
        return next(url, context);
      } });
    `;
    const child = spawn(
      process.execPath,
      ["--import", `data:text/javascript,${encodeURIComponent(loaded)}`, MAIN, "--version"],
      { cwd: project.folder },
    );

    const { err } = await finish(child);

    const files = err.split(" ").filter((name) => name.endsWith(".ts"));
    expect(files).toEqual(["main.ts", "version.ts"]);
  });

  it("tells an old Node.js what it needs, before anything is loaded that it cannot read", async () => {
    await using project = await Project.make();
    const old = 'Object.defineProperty(process, "versions", { value: { node: "20.20.2" } })';
    const flags = ["--import", `data:text/javascript,${encodeURIComponent(old)}`];
    const child = spawn(process.execPath, [...flags, MAIN, "doctor"], { cwd: project.folder });

    expect(await finish(child)).toEqual({
      code: 1,
      out: "",
      err: "Springhouse needs Node.js 24.15 or newer, this is 20.20.2.\n",
    });
    expect(await readFile(MAIN, "utf8")).not.toMatch(/import \{[^}]*\} from "node:module"/);
  });

  it("ends with the exit code of what it did", async () => {
    await using project = await Project.make();
    await mkdir(project.path("migrations"));

    const usage = await finish(start(project, "docter"));
    const status = await finish(start(project, "migrate status"));

    expect(usage).toMatchObject({ code: 2, out: "", err: expect.stringContaining("USAGE") });
    expect(status).toMatchObject({ code: 0, err: "" });
  });

  it("stops a migration on Ctrl-C, with 130 and what was done so far", async () => {
    await using project = await waiting("clearInterval(timer); reject(step.signal.reason);");
    const child = start(project, "migrate up");
    child.stderr.once("data", () => child.kill("SIGINT"));

    const { code } = await finish(child);

    expect(code).toBe(130);
    const { out } = await project.run("migrate status --json");
    expect(JSON.parse(out)).toMatchObject({
      upToDate: false,
      migrations: [
        { version: 1, state: "applied" },
        { version: 2, state: "data" },
      ],
    });
  });

  it("ends at once on a second Ctrl-C", async () => {
    await using project = await waiting('process.stderr.write("again");');
    const child = start(project, "migrate up");
    child.stderr.on("data", () => child.kill("SIGINT"));

    const { code } = await finish(child);

    expect(code).toBe(130);
  });

  it("ends with 143 on SIGTERM", async () => {
    await using project = await waiting("clearInterval(timer); reject(step.signal.reason);");
    const child = start(project, "migrate up");
    child.stderr.once("data", () => child.kill("SIGTERM"));

    expect((await finish(child)).code).toBe(143);
  });

  it("does not complain when nobody reads its output", async () => {
    await using project = await Project.make();
    const child = start(project, "doctor");
    child.stdout.destroy();

    const { code, err } = await finish(child);

    expect({ code, err }).toEqual({ code: 0, err: "" });
  });
});
