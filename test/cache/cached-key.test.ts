import { expect, it } from "vitest";
import { createCache } from "../../src/cache/cache.ts";
import { cached } from "../../src/cache/cached.ts";

it("a key of parts is never taken for that of other parts", async () => {
  const both = cached(createCache(), (a: string, b: string) => `${a} and ${b}`, {
    name: "both",
    key: (a, b) => [a, b],
  });

  const answers = [await both("a:b", "c"), await both("a", "b:c")];

  expect(answers).toEqual(["a:b and c", "a and b:c"]);
});

it("what is no key is refused", async () => {
  const one = cached(createCache(), (n: number) => n, { name: "one", key: (n) => n as never });

  await expect(one(1)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
});
