/** The commands of the README, word for word. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "../../../examples/burndown/cli.ts";
import { NOW, temporaryFolder, writeFiles } from "./support.ts";

const README = join(import.meta.dirname, "../../../examples/burndown/README.md");
const NO_DATA = "/nowhere";
const COMMANDS = "generate migrate profiles switch stats forecast export clean-up".split(" ");

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(words: readonly string[]): Promise<Run> {
  const parts = { out: "", err: "" };
  const { signal } = new AbortController();
  const stream = (name: "out" | "err") => ({
    write(text: string): void {
      parts[name] += text;
    },
  });
  const terminal = { stdout: stream("out"), stderr: stream("err"), signal };
  const code = await runCli(words, { ...terminal, nowMs: () => Date.parse(NOW) });
  return { code, ...parts };
}

/** The commands of the first block, in a folder of the test's own and on made issues. */
function commandsOf(folder: string): string[][] {
  const block = /```sh\n([\s\S]*?)```/.exec(readFileSync(README, "utf8"))?.[1] ?? "";
  return block
    .split("\n")
    .filter((line) => line.startsWith("burndown "))
    .map((line) => {
      const words = line
        .replace(/\s+#.*$/, "")
        .split(/\s+/)
        .slice(1);
      const isPath = (index: number): boolean =>
        ["--root", "--to", "--chart"].includes(words[index - 1] ?? "");
      const placed = words.map((word, index) => (isPath(index) ? join(folder, word) : word));
      return words.includes("generate") ? [...placed, "--data", NO_DATA] : placed;
    });
}

describe("the README of the burndown example", () => {
  it("can be followed word for word", async () => {
    using folder = temporaryFolder();
    const outputs = new Map<string, string>();

    for (const words of commandsOf(folder.path)) {
      const { code, out, err } = await run(words);

      expect([words.join(" "), code, err.replace(/^.*(?:…|done in.*|\d of \d.*)\n/gm, "")]).toEqual(
        [words.join(" "), 0, ""],
      );
      outputs.set(words.find((word) => COMMANDS.includes(word)) ?? "", out);
    }

    expect([...outputs.keys()]).toEqual(COMMANDS);
    expect(outputs.get("generate")).toContain("300 issues (made");
    expect(outputs.get("migrate")).toMatch(/jira_issues +300/);
    expect(outputs.get("profiles")).toMatch(
      /aloy +ALOY +main +All of ALOY +project = ALOY +in use/,
    );
    expect(outputs.get("forecast")).toMatch(/85 of 100 +20\d\d-\d\d-\d\d/);
    expect(outputs.get("export")).toContain("300 issues");
    expect(outputs.get("clean-up")).toBe("Removed: 1 answers and 300 changelogs\n");
    expect(JSON.parse(outputs.get("stats") ?? "")).toMatchObject({ profileId: "aloy" });
    const svg = readFileSync(join(folder.path, "burndown.svg"), "utf8");
    expect(svg).toMatch(/^<svg [\s\S]*>deadline 2030-12-31<[\s\S]*<\/svg>\n$/);
  });
});

describe("the command line of the burndown example", () => {
  it("names the file and the line of what is broken, also as JSON, with exit code 1", async () => {
    using folder = temporaryFolder();
    writeFiles(folder.path, {
      "profiles/a/profile.json": '{\n"name": }',
      "profiles/a/queries/main/query.json": { name: "All", jql: "x" },
    });

    const text = await run(["--root", folder.path, "migrate"]);
    const json = await run(["--root", folder.path, "--json", "migrate"]);
    const skipped = await run(["--root", folder.path, "migrate", "--skip-bad"]);

    expect(text).toMatchObject({ code: 1, out: "" });
    expect(text.err).toContain("error VALIDATION: profiles/a/profile.json, line 2: is not JSON");
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, error: { code: "VALIDATION" } });
    expect(skipped.code).toBe(1);
    expect(skipped.out).toMatch(/Left out \(1\)[\s\S]*profiles\/a\/profile.json +2 +is not JSON/);
  });

  it("does not take the wrong words, and asks for nothing that is not there", async () => {
    using folder = temporaryFolder();
    const root = ["--root", folder.path];

    expect((await run([...root, "--backend", "oracle", "profiles"])).code).toBe(2);
    expect((await run([...root, "forecast", "--deadline", "soon"])).code).toBe(2);
    expect(await run([...root, "migrate"])).toMatchObject({ code: 1, out: "" });
    expect((await run([...root, "stats"])).err).toContain("There is no profile yet.");
    expect((await run([...root, "switch", "gone"])).err).toContain("Profile 'gone' not found");
    expect((await run(["--help"])).out).toContain("Exit codes:");
  });

  it("overwrites nothing: neither profiles by made ones nor a folder by an export", async () => {
    using folder = temporaryFolder();
    writeFiles(folder.path, { "profiles/a/profile.json": { name: "A" } });
    writeFileSync(join(folder.path, "note.txt"), "mine");

    const made = await run(["--root", folder.path, "generate", "--data", NO_DATA]);
    const exported = await run(["--root", folder.path, "export", "--to", folder.path]);

    expect([made.code, exported.code]).toEqual([2, 2]);
    expect(exported.err).toContain("is not empty");
  });
});
