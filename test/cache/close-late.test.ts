import { expect, it } from "vitest";
import { entryIn, HANGS, openTiered, pass, turns, WORKS } from "./support.ts";

it("a tier gets the changes behind a late one before the cache is closed", async () => {
  const { cache, lower, stored, clock } = openTiered();
  await cache.set("a", 1);
  await cache.set("p:1", 1);
  lower.fault = HANGS;
  const dropped = [cache.drop("a"), cache.dropPrefix("p")];
  await pass(clock, 1_500);
  await Promise.all(dropped);
  lower.close = async () => undefined;

  const closed = cache.close();
  await turns();
  lower.fault = WORKS;
  await pass(clock, 5_000);
  await closed;

  expect(await entryIn(stored, "a")).toBeUndefined();
  expect(await entryIn(stored, "p:1")).toBeUndefined();
});
