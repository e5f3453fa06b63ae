import { describe, expect, it } from "vitest";
import { mainOptions } from "./main-options.ts";

describe("the options of the proof", () => {
  it("are told when asked for, and not needed", () => {
    const help = mainOptions(["--help"]);
    const usual = mainOptions([]);

    expect(help).toMatchObject({ exitCode: 0, text: expect.stringContaining("--planted-only") });
    expect(usual).toMatchObject({ isRandom: true, hasProcesses: true, isPlanted: true });
  });

  it("are refused in one line when they are misspelt or mean nothing", () => {
    const wrong = [
      ["--chekcs", "5"],
      ["--checks", "many"],
      ["--seed"],
      ["more"],
      ["--only", "no bug of ours"],
      ["--planted-only", "--no-planted"],
    ];

    for (const args of wrong) {
      const said = mainOptions(args);

      expect(said, args.join(" ")).toMatchObject({ exitCode: 2 });
      expect("text" in said && said.text, args.join(" ")).toMatch(/^[^\n]+$/);
    }
  });
});
