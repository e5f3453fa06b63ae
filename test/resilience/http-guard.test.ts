/** A guard around a server that is slow, ill and too busy on command. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createCache } from "../../src/cache/cache.ts";
import type { SpringhouseError } from "../../src/core/errors.ts";
import { withCacheFallback } from "../../src/resilience/fallback.ts";
import {
  checkedFetch,
  classifyHttpError,
  type Fetch,
  guardedFetch,
  httpGuard,
} from "../../src/resilience/http-guard.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A server whose answers are made by the handlers in turn, the last one for all that follow. */
async function serve(...handlers: readonly Handler[]) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => {
      body += part.toString();
    });
    request.on("end", () => {
      const handler = handlers[Math.min(seen.length, handlers.length - 1)];
      seen.push(`${request.method} ${body}`.trim());
      handler?.(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/words`, seen };
}

const status =
  (code: number, headers: Record<string, string> = {}): Handler =>
  (_, response) => {
    response.writeHead(code, headers).end("ill");
  };
const ok: Handler = (_, response) => void response.end("well");
const never: Handler = () => undefined;
const quick = { attempts: 3, delay: 0 } as const;

/** A server that takes requests and never answers. */
function silent() {
  const sent: string[] = [];
  const fetcher: Fetch = (input) => {
    sent.push((input as Request).method);
    return new Promise(() => undefined);
  };
  return { fetcher, sent };
}

async function failureOf(promise: Promise<unknown>): Promise<SpringhouseError> {
  return await promise.then(
    () => expect.unreachable(),
    (error: unknown) => error as SpringhouseError,
  );
}

describe("a guard around HTTP", () => {
  it("repeats a request after a status of failure, and gives the answer", async () => {
    const { url, seen } = await serve(status(503), status(500), ok);
    const api = httpGuard({ retry: quick });

    const response = await guardedFetch(api)(url);

    expect([response.status, await response.text()]).toEqual([200, "well"]);
    expect(seen).toEqual(["GET", "GET", "GET"]);
  });

  it("sends the body again where the method may come twice, and nowhere else", async () => {
    const put = await serve(status(502), ok);
    const post = await serve(status(502), ok);
    const send = guardedFetch(httpGuard({ retry: quick }));

    await send(put.url, { method: "PUT", body: "한국" });
    const failure = await failureOf(send(post.url, { method: "POST", body: "한국" }));

    expect(put.seen).toEqual(["PUT 한국", "PUT 한국"]);
    expect(post.seen).toEqual(["POST 한국"]);
    expect(failure).toMatchObject({ code: "HTTP_STATUS", fields: { status: 502 } });
  });

  it("waits as long as a busy server says, for a POST as well, and never counts it", async () => {
    const busy = status(429, { "retry-after": "0" });
    const { url, seen } = await serve(busy, status(503, { "retry-after": "0" }), ok);
    const api = httpGuard({ retry: quick, circuitBreaker: { failures: 1 } });

    const response = await guardedFetch(api)(url, { method: "POST", body: "a" });

    expect(response.status).toBe(200);
    expect(seen).toHaveLength(3);
    expect(api.state).toBe("closed");
  });

  it("leaves it to the caller to wait for longer than any pause", async () => {
    const { url, seen } = await serve(status(429, { "retry-after": "120" }));
    const api = httpGuard({ retry: { ...quick, maxDelay: "5s" } });

    const failure = await failureOf(guardedFetch(api)(url));

    expect(failure).toMatchObject({ code: "HTTP_STATUS", fields: { retryAfterMs: 120_000 } });
    expect(seen).toHaveLength(1);
  });

  it("takes other statuses for answers", async () => {
    const { url, seen } = await serve(status(404));
    const api = httpGuard({ retry: quick, circuitBreaker: { failures: 1 } });

    const response = await guardedFetch(api)(url);

    expect(response.status).toBe(404);
    expect(seen).toHaveLength(1);
    expect(api.state).toBe("closed");
  });

  it("gives up on a server that does not answer, and then leaves it alone", async () => {
    const { fetcher, sent } = silent();
    const retry = { attempts: 2, delay: 0 };
    const get = guardedFetch(
      httpGuard({ timeout: 5, retry, circuitBreaker: { failures: 2 } }),
      fetcher,
    );

    const slow = await failureOf(get("http://slow.test/"));
    const refused = await failureOf(get("http://slow.test/"));

    expect([slow.code, refused.code]).toEqual(["TIMEOUT", "CIRCUIT_OPEN"]);
    expect(sent).toEqual(["GET", "GET"]);
  });

  it("does not send what took too long and may not come twice again", async () => {
    const { fetcher, sent } = silent();
    const send = guardedFetch(httpGuard({ timeout: 5, retry: quick }), fetcher);

    const slow = await failureOf(send("http://slow.test/", { method: "POST" }));

    expect(slow.code).toBe("TIMEOUT");
    expect(sent).toEqual(["POST"]);
  });

  it("counts a server that is not there", async () => {
    const api = httpGuard({ retry: quick, circuitBreaker: { failures: 3 } });
    let attempts = 0;
    const get = guardedFetch(api, () => {
      attempts++;
      return Promise.reject(new TypeError("fetch failed"));
    });

    await failureOf(get("http://nobody.test/"));

    expect([attempts, api.state]).toEqual([3, "open"]);
  });

  it("is given up with the signal of its request", async () => {
    const { url } = await serve(never);
    const controller = new AbortController();
    const asking = guardedFetch(httpGuard())(url, { signal: controller.signal });
    controller.abort();

    expect((await failureOf(asking)).code).toBe("ABORTED");
  });

  it("lets a cache answer while the server is ill or too busy", async () => {
    const { url } = await serve(ok, status(500), status(429, { "retry-after": "900" }));
    const cache = createCache({ categories: { words: {} } });
    onTestFinished(() => cache.close());
    const api = httpGuard({ retry: { attempts: 1 } });
    const words = withCacheFallback(cache.category("words"), api);
    const ask = () =>
      words("a", async ({ signal }) => await (await checkedFetch(url, { signal })).text());

    const answers = [await ask(), await ask(), await ask()];

    expect(answers.map(({ value, stale }) => [value, stale])).toEqual([
      ["well", false],
      ["well", true],
      ["well", true],
    ]);
  });
});

describe("an error of HTTP", () => {
  it("says where, without what may be secret", async () => {
    const answer = async () => new Response(null, { status: 500 });

    const failure = await failureOf(checkedFetch("https://u:p@api.test/a?token=x", {}, answer));

    expect(failure.message).toBe("https://api.test/a answered with status 500.");
  });

  it.each([
    ["7", 7_000],
    [new Date(0).toUTCString(), 0],
    ["soon", undefined],
    [undefined, undefined],
  ])("reads Retry-After: %s as %s ms", async (header, ms) => {
    const headers = header === undefined ? {} : { "retry-after": header };
    const answer = async () => new Response(null, { status: 503, headers });

    const failure = await failureOf(checkedFetch("https://api.test/", {}, answer));

    expect(failure.fields["retryAfterMs"]).toBe(ms);
    expect(classifyHttpError(failure)).toBe(ms === undefined ? "failure" : "busy");
  });
});
