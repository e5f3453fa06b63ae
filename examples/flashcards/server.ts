/**
 * The dictionary as a server on this machine: slow, limited, and failing when it is told to.
 *
 *     GET  /config                    what it allows: { requestsPerSecond }
 *     GET  /stage1/WORD               { translation, pronunciation, difficulty }
 *     GET  /stage2/WORD               { example, exampleTranslation, hint }
 *     GET  /statistics                what it has answered
 *     POST /fail?how=error&requests=9 the next 9 requests of words fail; also how=hang, how=limit
 *
 * A word that it does not know, or knows no meaning of, is 404. More than `requestsPerSecond`, or
 * a burst of more than one second's worth, is 429 with `Retry-After`.
 */

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Entry } from "./word-lists.ts";

/** How a request can be made to fail. */
export const FAILURES = ["error", "hang", "limit"] as const;
export type FailureKind = (typeof FAILURES)[number];

/** How to serve. */
export interface ServerOptions {
  readonly entries: readonly Entry[];
  /** Time that each answer of a word takes, milliseconds. */
  readonly latencyMs: number;
  readonly requestsPerSecond: number;
  /** 0 takes any that is free. Default: 0. */
  readonly port?: number;
}

/** What a server has done since it began. */
export interface ServerStatistics {
  /** Times that it has said what it allows. */
  readonly configs: number;
  /** Requests of words. */
  readonly requests: number;
  readonly answered: number;
  /** Words that it does not have. */
  readonly unknown: number;
  /** Told to come again later. */
  readonly limited: number;
  /** Failed because it was told so. */
  readonly failed: number;
}

interface Reply {
  readonly status: number;
  readonly body: object;
  readonly retryAfterSeconds?: number;
}

type Stage = "stage1" | "stage2";
const WORD_PATH = /^\/(stage1|stage2)\/([^/]+)$/;

/** A server that listens. */
export class DictionaryServer implements AsyncDisposable {
  readonly #options: ServerOptions;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #server: Server;
  readonly #counts = { configs: 0, requests: 0, answered: 0, unknown: 0, limited: 0, failed: 0 };
  #failing: { how: FailureKind; left: number } = { how: "error", left: 0 };
  #tokens: number;
  #filledMs = performance.now();

  #url = "";

  private constructor(options: ServerOptions) {
    this.#options = options;
    this.#entries = new Map(options.entries.map((entry) => [entry.word, entry]));
    this.#tokens = options.requestsPerSecond;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** Starts one on this machine's own address; other machines do not reach it. */
  static async start(options: ServerOptions): Promise<DictionaryServer> {
    const server = new DictionaryServer(options);
    server.#server.listen(options.port ?? 0, "127.0.0.1");
    await once(server.#server, "listening");
    server.#url = `http://127.0.0.1:${(server.#server.address() as AddressInfo).port}`;
    return server;
  }

  get url(): string {
    return this.#url;
  }

  statistics(): ServerStatistics {
    return { ...this.#counts };
  }

  /** Lets the next requests of words fail. */
  fail(how: FailureKind, requests: number): void {
    this.#failing = { how, left: requests };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://localhost");
    const reply = await this.#replyTo(request.method ?? "GET", url);
    if (reply === "never") return;
    const { status, body, retryAfterSeconds } = reply;
    response.statusCode = status;
    response.setHeader("content-type", "application/json; charset=utf-8");
    if (retryAfterSeconds !== undefined) response.setHeader("retry-after", retryAfterSeconds);
    response.end(JSON.stringify(body));
  }

  #replyTo(method: string, url: URL): Reply | "never" | Promise<Reply> {
    const [, stage, word = ""] = WORD_PATH.exec(url.pathname) ?? [];
    const { requestsPerSecond } = this.#options;
    if (stage !== undefined) return this.#word(stage as Stage, decoded(word));
    if (method === "POST" && url.pathname === "/fail") return this.#order(url);
    if (url.pathname === "/config") {
      this.#counts.configs++;
      return { status: 200, body: { requestsPerSecond } };
    }
    if (url.pathname === "/statistics") return { status: 200, body: this.statistics() };
    return { status: 404, body: { error: `There is no ${url.pathname}.` } };
  }

  #order({ searchParams }: URL): Reply {
    const how = searchParams.get("how") ?? "";
    const requests = Number(searchParams.get("requests") ?? "1");
    if (!isFailureKind(how) || !Number.isSafeInteger(requests) || requests < 0) {
      const error = `Give how as one of ${FAILURES.join(", ")}, and requests as a whole number.`;
      return { status: 400, body: { error } };
    }
    this.fail(how, requests);
    return { status: 200, body: { how, requests } };
  }

  #word(stage: Stage, word: string): Reply | "never" | Promise<Reply> {
    this.#counts.requests++;
    if (this.#failing.left > 0) {
      this.#failing.left--;
      this.#counts.failed++;
      if (this.#failing.how === "hang") return "never";
      if (this.#failing.how === "limit") return tooMany(1);
      return { status: 503, body: { error: "It was told to fail." } };
    }
    const waitSeconds = this.#take();
    if (waitSeconds > 0) {
      this.#counts.limited++;
      return tooMany(waitSeconds);
    }
    return this.#lookUp(stage, word.normalize("NFC"));
  }

  async #lookUp(stage: Stage, word: string): Promise<Reply> {
    await setTimeout(this.#options.latencyMs);
    const entry = this.#entries.get(word);
    if (entry === undefined || entry.definition === "") {
      this.#counts.unknown++;
      return { status: 404, body: { error: `There is no meaning of ${word}.` } };
    }
    this.#counts.answered++;
    return { status: 200, body: stage === "stage1" ? analysisOf(entry) : illustrationOf(entry) };
  }

  /** Takes one of what is allowed; otherwise gives the seconds until there is one again. */
  #take(): number {
    const { requestsPerSecond } = this.#options;
    const nowMs = performance.now();
    const grown = ((nowMs - this.#filledMs) * requestsPerSecond) / 1_000;
    this.#tokens = Math.min(requestsPerSecond, this.#tokens + grown);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return Math.ceil((1 - this.#tokens) / requestsPerSecond);
    this.#tokens--;
    return 0;
  }
}

function analysisOf({ definition, pronunciation, level }: Entry): object {
  return { translation: definition, pronunciation, difficulty: level };
}

function illustrationOf({ example, exampleTranslation, hint }: Entry): object {
  return { example, exampleTranslation, hint };
}

function isFailureKind(text: string): text is FailureKind {
  return (FAILURES as readonly string[]).includes(text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function tooMany(retryAfterSeconds: number): Reply {
  const error = `Too many requests. Come again in ${retryAfterSeconds} s.`;
  return { status: 429, body: { error }, retryAfterSeconds };
}
