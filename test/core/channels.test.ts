import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { warn } from "../../src/core/channels.ts";

describe("warn", () => {
  it("goes to the subscribers of the channel", () => {
    const seen: unknown[] = [];
    const listener = (warning: unknown): void => void seen.push(warning);
    subscribe("springhouse:warning", listener);

    warn("POOL_LEAK", "A reader was held for 31 s.", { heldMs: 31_000 });

    unsubscribe("springhouse:warning", listener);
    expect(seen).toEqual([
      { code: "POOL_LEAK", message: "A reader was held for 31 s.", fields: { heldMs: 31_000 } },
    ]);
  });

  it("becomes a process warning when nobody listens", async () => {
    const warned = once(process, "warning");

    warn("POOL_LEAK", "A reader was held for 31 s.");

    const [warning] = await warned;
    expect(warning).toMatchObject({ name: "SpringhouseWarning", code: "POOL_LEAK" });
  });
});
