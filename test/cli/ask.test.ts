import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { ask } from "../../src/cli/ask.ts";

function terminal() {
  const interrupted = new AbortController();
  return {
    input: new PassThrough(),
    output: new PassThrough().setEncoding("utf8"),
    signal: interrupted.signal,
    onInterrupt: () => interrupted.abort(new Error("SIGINT")),
  };
}

describe("ask", () => {
  it("shows the question and gives the line", async () => {
    const options = terminal();

    const answer = ask("Go on? ", options);
    options.input.write("yes\r");

    expect(await answer).toBe("yes");
    expect(options.output.read()).toContain("Go on? ");
  });

  it("gives Ctrl-C to the process, and ends as what was aborted", async () => {
    const options = terminal();

    const answer = ask("Go on? ", options);
    options.input.write("\u0003");

    await expect(answer).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("lets other errors through", async () => {
    const options = terminal();
    const broken = new Error("broken");
    const output = new PassThrough();
    output.write = () => {
      throw broken;
    };

    await expect(ask("Go on? ", { ...options, output })).rejects.toBe(broken);
  });
});
