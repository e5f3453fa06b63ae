/**
 * Health over HTTP, for probes of an orchestrator and for Prometheus:
 *
 * - `/livez`: 200 as long as the event loop turns.
 * - `/readyz`: 200 when requests can be served, 503 otherwise, with the status of each check.
 * - `/metrics`: the figures as text for Prometheus.
 *
 * Names and numbers go out, and nothing else: what checks found may name files and statements.
 */

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { assertMethods, assertText } from "../core/arguments.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { Health } from "./health.ts";
import { formatPrometheus, PROMETHEUS_TYPE } from "./prometheus.ts";
import type { HealthReport } from "./report.ts";

/** Where it answers. */
export interface HealthHandlerOptions {
  /** What stands before the three paths: "/internal". Default: nothing. */
  readonly prefix?: string;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

type Answering = (method: string, path: string) => Promise<Answer>;

const JSON_TYPE = "application/json; charset=utf-8";

/**
 * A listener for `node:http`. It answers every request, others than the three with 404.
 *
 * @example createServer(healthListener(health)).listen(9_100, "127.0.0.1");
 */
export function healthListener(
  health: Health,
  options: HealthHandlerOptions = {},
): RequestListener {
  const answer = answering("healthListener", health, options);
  return (request: IncomingMessage, response: ServerResponse): void => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const method = request.method ?? "GET";
    void answer(method, pathname).then(({ status, type, body }) => {
      response.writeHead(status, headersOf(type));
      response.end(method === "HEAD" ? undefined : body);
    });
  };
}

/**
 * The same for servers that work with `Request` and `Response`.
 *
 * @example app.get("/readyz", (context) => healthFetch(health)(context.req.raw));
 */
export function healthFetch(
  health: Health,
  options: HealthHandlerOptions = {},
): (request: Request) => Promise<Response> {
  const answer = answering("healthFetch", health, options);
  return async ({ method, url }) => {
    const { status, type, body } = await answer(method, new URL(url).pathname);
    return new Response(method === "HEAD" ? null : body, { status, headers: headersOf(type) });
  };
}

function headersOf(type: string): Record<string, string> {
  return { "content-type": type, "cache-control": "no-store" };
}

function answering(what: string, health: Health, options: HealthHandlerOptions): Answering {
  assertMethods(`${what}: health`, "made by createHealth", health, ["readiness", "metrics"]);
  refuseUnknownKeys(options, ["prefix"], what);
  const { prefix = "" } = options;
  assertText(`${what}: prefix`, prefix);
  const pages = new Map<string, () => Promise<Answer>>([
    [`${prefix}/livez`, async () => json(200, { status: "alive" })],
    [`${prefix}/readyz`, async () => readyPage(await health.readiness())],
    [`${prefix}/metrics`, async () => metricsPage(health)],
  ]);
  return async (method, path) => {
    const page = pages.get(path);
    if (page === undefined) return json(404, { status: "not found" });
    if (method !== "GET" && method !== "HEAD") return json(405, { status: "method not allowed" });
    try {
      return await page();
    } catch {
      // Closed, or a defect: why is for the log of the program and not for whoever asks.
      return json(503, { status: "unavailable" });
    }
  };
}

function readyPage({ ready, checks }: HealthReport): Answer {
  const statuses = Object.fromEntries(checks.map(({ name, status }) => [name, status]));
  return json(ready ? 200 : 503, { status: ready ? "ready" : "not ready", checks: statuses });
}

async function metricsPage(health: Health): Promise<Answer> {
  return { status: 200, type: PROMETHEUS_TYPE, body: formatPrometheus(await health.metrics()) };
}

function json(status: number, data: object): Answer {
  return { status, type: JSON_TYPE, body: `${JSON.stringify(data)}\n` };
}
