/** Probes and figures over HTTP. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createCache } from "../../src/cache/cache.ts";
import type { Health } from "../../src/health/health.ts";
import { healthFetch, healthListener } from "../../src/health/http.ts";
import { formatPrometheus } from "../../src/health/prometheus.ts";
import { guard } from "../../src/resilience/guard.ts";
import { parsePrometheus } from "./prometheus-parser.ts";
import { lookAfter, openStore, SaidDatabase, sql } from "./support.ts";

/** A server with the listener; gives the beginning of its addresses. */
async function serve(health: Health, prefix = ""): Promise<string> {
  const server = createServer(healthListener(health, { prefix }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`;
}

async function get(url: string, method = "GET") {
  const response = await fetch(url, { method });
  const text = await response.text();
  return { status: response.status, type: response.headers.get("content-type"), text };
}

describe("probes", () => {
  it("tell a process that lives from one that can serve requests", async () => {
    const database = new SaidDatabase();
    const address = await serve(lookAfter({ database }));

    const ready = await get(`${address}/readyz`);
    database.fault = { vitals: { isInPlace: false } };
    const unready = await get(`${address}/readyz`);
    const alive = await get(`${address}/livez`);

    expect([ready.status, unready.status, alive.status]).toEqual([200, 503, 200]);
    expect(JSON.parse(ready.text)).toEqual({
      status: "ready",
      checks: { connection: "healthy", disk: "healthy", writer: "healthy" },
    });
    expect(JSON.parse(unready.text)).toMatchObject({
      status: "not ready",
      checks: { connection: "unhealthy" },
    });
  });

  it("say neither where a file is nor what was run", async () => {
    const database = new SaidDatabase();
    const query = { ms: 900, rows: 0, where: "reader", atMs: 0, sql: "SELECT password" } as const;
    database.fault = { vitals: { isInPlace: false }, slow: [query] };
    const address = await serve(lookAfter({ database }));

    const pages = await Promise.all(
      ["livez", "readyz", "metrics"].map((page) => get(`${address}/${page}`)),
    );

    for (const { text } of pages) expect(text).not.toMatch(/app\.db|password|\/data/);
  });

  it("answer under a prefix, to GET and HEAD, and nothing else", async () => {
    const address = await serve(lookAfter({}), "/internal");

    const head = await get(`${address}/livez`, "HEAD");
    const post = await get(`${address}/livez`, "POST");
    const unknown = await get(`${address}/other`);
    const withQuery = await get(`${address}/readyz?verbose=1`);

    expect(head).toMatchObject({ status: 200, text: "" });
    expect([post.status, unknown.status, withQuery.status]).toEqual([405, 404, 200]);
  });

  it("are unavailable when health is closed", async () => {
    const health = lookAfter({});
    const address = await serve(health);
    await health.close();

    expect(await get(`${address}/readyz`)).toMatchObject({
      status: 503,
      text: '{"status":"unavailable"}\n',
    });
    expect((await get(`${address}/livez`)).status).toBe(200);
  });

  it("answer in the same way where there are Request and Response", async () => {
    const handle = healthFetch(lookAfter({ database: new SaidDatabase() }), { prefix: "/x" });

    const ready = await handle(new Request("http://host/x/readyz"));
    const head = await handle(new Request("http://host/x/metrics", { method: "HEAD" }));
    const unknown = await handle(new Request("http://host/readyz"));

    expect([ready.status, head.status, unknown.status]).toEqual([200, 200, 404]);
    expect(await ready.json()).toMatchObject({ status: "ready" });
    expect([await head.text(), head.headers.get("cache-control")]).toEqual(["", "no-store"]);
  });

  it.each([
    [{ prefix: 5 }, /healthListener: prefix must be a text/],
    [{ path: "/" }, /unknown option "path"/],
  ])("refuse %j", (options, message) => {
    expect(() => healthListener(lookAfter({}), options as never)).toThrow(message);
  });
});

describe("metrics", () => {
  it("are text that Prometheus reads", async () => {
    const database = await openStore();
    await database.write([sql("INSERT INTO t (text) VALUES ('a'), ('b')")]);
    const cache = createCache({ categories: { pages: {} } });
    onTestFinished(() => cache.close());
    const pages = cache.category("pages");
    await pages.set("a", 1);
    await pages.get("a");
    await pages.get("b");
    const api = guard({ name: 'the "api"\n' });
    await api.execute(() => 1);
    const health = lookAfter({ database, caches: { pages: cache }, guards: [api] });

    const { status, type, text } = await get(`${await serve(health)}/metrics`);
    const metrics = parsePrometheus(text);
    const figure = (name: string, labels: object = {}) =>
      metrics.get(name)?.samples.find((sample) => {
        return Object.entries(labels).every(([key, value]) => sample.labels[key] === value);
      })?.value;

    expect([status, type]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
    expect(figure("springhouse_ready")).toBe(1);
    expect(figure("springhouse_health_status", { check: "integrity" })).toBe(1);
    expect(figure("springhouse_table_rows", { table: "t" })).toBe(2);
    expect(figure("springhouse_database_bytes", { of: "database" })).toBeGreaterThan(0);
    expect(figure("springhouse_queries_total")).toBeGreaterThan(2);
    const memory = { cache: "pages", tier: "memory" };
    expect(figure("springhouse_cache_hits_total", memory)).toBe(1);
    expect(figure("springhouse_cache_misses_total", memory)).toBe(1);
    expect(figure("springhouse_cache_evictions_total", memory)).toBe(0);
    const calls = { circuit: 'the "api"\n', outcome: "successes" };
    expect(figure("springhouse_guard_calls_total", calls)).toBe(1);
    const waits = metrics.get("springhouse_writer_wait_seconds")?.samples.at(-1);
    expect(waits).toMatchObject({ name: "springhouse_writer_wait_seconds_count", value: 2 });
  });

  it("are those of now, between two looks as well", async () => {
    const database = new SaidDatabase();
    const health = lookAfter({ database });
    const waiting = async () => {
      const metrics = parsePrometheus(formatPrometheus(await health.metrics()));
      return metrics.get("springhouse_writer_waiting")?.samples[0]?.value;
    };
    const before = await waiting();
    const look = health.last;

    database.fault = { writer: { waiting: 7 } };

    expect([before, await waiting()]).toEqual([0, 7]);
    expect(health.last).toBe(look);
  });

  it("still say of a closed database that it is not ready", async () => {
    const database = await openStore();
    await database.close();

    const metrics = parsePrometheus(formatPrometheus(await lookAfter({ database }).metrics()));

    expect(metrics.get("springhouse_ready")?.samples[0]?.value).toBe(0);
    expect(metrics.get("springhouse_connection_errors_total")?.samples[0]?.value).toBe(1);
    expect(metrics.has("springhouse_readers")).toBe(false);
  });
});
