import { describe, expect, it } from "vitest";
import { abortable, throwIfAborted } from "../../src/core/abort.ts";

describe("abortable", () => {
  it("settles as the promise does when there is no signal or it stays quiet", async () => {
    const { signal } = new AbortController();

    await expect(abortable(Promise.resolve(1), undefined, "read")).resolves.toBe(1);
    await expect(abortable(Promise.resolve(1), signal, "read")).resolves.toBe(1);
    await expect(abortable(Promise.reject(new Error("no")), signal, "read")).rejects.toThrow("no");
  });

  it("rejects with ABORTED and the reason as soon as the signal fires", async () => {
    const controller = new AbortController();
    const waiting = abortable(new Promise(() => undefined), controller.signal, "The read");

    controller.abort("too late");

    await expect(waiting).rejects.toMatchObject({
      code: "ABORTED",
      message: "The read was aborted.",
      cause: "too late",
    });
  });

  it("refuses at once when the signal has fired before", async () => {
    const signal = AbortSignal.abort();

    await expect(abortable(new Promise(() => undefined), signal, "x")).rejects.toMatchObject({
      code: "ABORTED",
    });
    expect(() => throwIfAborted(signal, "x")).toThrow("x was aborted.");
    expect(() => throwIfAborted(undefined, "x")).not.toThrow();
  });
});
