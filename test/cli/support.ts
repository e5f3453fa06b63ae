/** A terminal that records, and projects in folders of their own. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { runProgram } from "../../src/cli/program.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { systemClock } from "../../src/core/clock.ts";

/** What a command printed and how it ended. */
export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A folder in which commands are run. */
export class Project implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(files: Readonly<Record<string, string>> = {}): Promise<Project> {
    const project = new Project(await mkdtemp(join(tmpdir(), "springhouse-cli-")));
    for (const [path, text] of Object.entries(files)) await writeFile(project.path(path), text);
    return project;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Runs SQL on a database of the folder, as another program would. */
  sql(name: string, ...statements: readonly string[]): void {
    const database = new DatabaseSync(this.path(name));
    for (const statement of statements) database.exec(statement);
    database.close();
  }

  async run(line: string, terminal: Partial<Terminal> = {}): Promise<Run> {
    let out = "";
    let err = "";
    const code = await runProgram(line.split(" ").filter(Boolean), {
      cwd: this.folder,
      env: {},
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      color: false,
      progressColumns: undefined,
      ask: undefined,
      signal: new AbortController().signal,
      clock: systemClock,
      ...terminal,
    });
    return { code, out, err };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
