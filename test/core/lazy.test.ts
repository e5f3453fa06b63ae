import { describe, expect, it } from "vitest";
import { importOptional } from "../../src/core/lazy.ts";

describe("importOptional", () => {
  it("gives the module when it is there", async () => {
    const path = await importOptional("node:path", "to join", () => import("node:path"));

    expect(path.join("a", "b")).toBe("a/b");
  });

  it("names the package, the purpose and the command when it is not", async () => {
    const name = "springhouse-no-such-package";

    await expect(importOptional(name, "to fly", () => import(name))).rejects.toMatchObject({
      code: "MISSING_DEPENDENCY",
      message: `The package "${name}" is needed to fly. Install it: npm install ${name}`,
      fields: { dependency: name },
    });
  });

  it("passes on an error that comes from inside of the package", async () => {
    const inside = new Error("inside");

    await expect(importOptional("a", "b", () => Promise.reject(inside))).rejects.toBe(inside);
    const other = Object.assign(new Error("Cannot find package 'c'"), {
      code: "ERR_MODULE_NOT_FOUND",
    });
    await expect(importOptional("a", "b", () => Promise.reject(other))).rejects.toBe(other);
  });
});
