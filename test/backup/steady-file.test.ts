import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { describe, expect, it } from "vitest";
import { removeSteadily, steadyFile } from "../../src/backup/steady-file.ts";
import { newFolder } from "./support.ts";

const MEGABYTE = 1_048_576;

describe("a file that goes to the disk while it is written", () => {
  it("holds all that was written, for this user alone", async () => {
    const path = join(newFolder(), "large");
    const chunks = Array.from({ length: 11 }, (_, index) => Buffer.alloc(MEGABYTE, index));

    await pipeline(chunks, steadyFile(path));

    expect(readFileSync(path).equals(Buffer.concat(chunks))).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("replaces nothing", async () => {
    const path = join(newFolder(), "taken");
    writeFileSync(path, "kept");

    await expect(pipeline([Buffer.from("new")], steadyFile(path))).rejects.toThrow("EEXIST");

    expect(readFileSync(path, "utf8")).toBe("kept");
  });
});

describe("a removal", () => {
  it("takes large files and whole folders, and minds no file that is gone", async () => {
    const folder = join(newFolder(), "backup");
    mkdirSync(join(folder, "within"), { recursive: true });
    writeFileSync(join(folder, "large"), Buffer.alloc(70 * MEGABYTE));
    writeFileSync(join(folder, "within/small"), "x");

    await removeSteadily(folder);
    await removeSteadily(folder);

    expect(existsSync(folder)).toBe(false);
  });

  it("leaves alone what a file is known by elsewhere, and what a link leads to", async () => {
    const folder = newFolder();
    const large = Buffer.alloc(40 * MEGABYTE, 7);
    for (const name of ["one", "other"]) writeFileSync(join(folder, name), large);
    linkSync(join(folder, "one"), join(folder, "second name"));
    symlinkSync(join(folder, "other"), join(folder, "link"));

    await removeSteadily(join(folder, "second name"));
    await removeSteadily(join(folder, "link"));

    for (const name of ["one", "other"]) {
      expect(readFileSync(join(folder, name)).equals(large)).toBe(true);
    }
    expect(existsSync(join(folder, "link"))).toBe(false);
  });
});
