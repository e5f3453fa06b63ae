/** The dictionary server as functions: one request each, and what can come of it. */

import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { text as readText } from "node:stream/consumers";
import { SpringhouseError } from "springhouse";

/** What the first stage asks for. */
export interface Analysis {
  readonly translation: string;
  readonly pronunciation: string;
  /** 1 to 6. */
  readonly difficulty: number;
}

/** What the second stage asks for. */
export interface Illustration {
  readonly example: string;
  readonly exampleTranslation: string;
  readonly hint: string;
}

/** What the server allows. */
export interface DictionaryConfig {
  readonly requestsPerSecond: number;
}

/** The server has answered that there is no such word: asking again would not help. */
export class UnknownWord extends Error {
  override readonly name = "UnknownWord";
}

/** The server has failed; asking again may help. */
export class DictionaryFailure extends Error {
  override readonly name = "DictionaryFailure";
}

/** When a server that says 429 does not say for how long. */
const RETRY_AFTER_MS = 1_000;

/** A dictionary server by its address. */
export class Dictionary {
  readonly #url: string;

  /** @throws `INVALID_URL` for what is no address of HTTP. */
  constructor(url: string) {
    if (!URL.canParse(url) || !/^http:/.test(url)) {
      const message = `"${url}" is no address of a server. Give one such as http://127.0.0.1:8080.`;
      throw new SpringhouseError("INVALID_URL", message, { fields: { url } });
    }
    this.#url = url.replace(/\/+$/, "");
  }

  /** @throws `UnknownWord`, `RATE_LIMITED`, `DictionaryFailure`. */
  async analysis(word: string, signal: AbortSignal): Promise<Analysis> {
    const answer = await this.#get(`stage1/${encodeURIComponent(word)}`, signal);
    const { translation, pronunciation, difficulty } = answer;
    if (!isLevel(difficulty)) throw wrongAnswer("difficulty", answer);
    return {
      translation: textOf("translation", translation),
      pronunciation: textOf("pronunciation", pronunciation),
      difficulty,
    };
  }

  /** @throws `UnknownWord`, `RATE_LIMITED`, `DictionaryFailure`. */
  async illustration(word: string, signal: AbortSignal): Promise<Illustration> {
    const answer = await this.#get(`stage2/${encodeURIComponent(word)}`, signal);
    const { example, exampleTranslation, hint } = answer;
    return {
      example: textOf("example", example),
      exampleTranslation: textOf("exampleTranslation", exampleTranslation),
      hint: textOf("hint", hint),
    };
  }

  /** @throws `DictionaryFailure`. */
  async config(signal: AbortSignal): Promise<DictionaryConfig> {
    const answer = await this.#get("config", signal);
    const { requestsPerSecond } = answer;
    if (typeof requestsPerSecond !== "number" || !(requestsPerSecond >= 1)) {
      throw wrongAnswer("requestsPerSecond", answer);
    }
    return { requestsPerSecond };
  }

  async #get(path: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const { status, retryAfter, text } = await this.#request(path, signal);
    if (status === 404) throw new UnknownWord(`The server answered 404: ${text}`);
    if (status === 429) throw limited(path, retryAfter);
    const answer = status === 200 ? objectOf(text) : undefined;
    if (answer !== undefined) return answer;
    throw new DictionaryFailure(`The server answered ${status} to ${path}: ${text}`);
  }

  async #request(path: string, signal: AbortSignal): Promise<Reply> {
    try {
      // Half the work of `fetch`; connections are kept and used again.
      const request = get(`${this.#url}/${path}`, { signal });
      // A request that is given up tells of it once more, when nobody waits for it.
      request.on("error", () => undefined);
      const [response] = (await once(request, "response", { signal })) as [IncomingMessage];
      const { statusCode: status = 0, headers } = response;
      return { status, retryAfter: headers["retry-after"], text: await readText(response) };
    } catch (error) {
      signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      throw new DictionaryFailure(`${this.#url} cannot be reached: ${reason}`, { cause: error });
    }
  }
}

interface Reply {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

/** The object that a text is, or nothing. */
function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function limited(path: string, retryAfter: string | undefined): SpringhouseError {
  const seconds = Number(retryAfter ?? Number.NaN);
  const retryAfterMs = seconds > 0 ? seconds * 1_000 : RETRY_AFTER_MS;
  return new SpringhouseError(
    "RATE_LIMITED",
    `The server takes no more requests for now. Ask for ${path} again in ${retryAfterMs} ms.`,
    { fields: { retryAfterMs } },
  );
}

function textOf(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw wrongAnswer(name, value);
}

function wrongAnswer(name: string, answer: unknown): DictionaryFailure {
  const shown = JSON.stringify(answer);
  return new DictionaryFailure(`The server's answer has no ${name} that can be used: ${shown}`);
}

/** A value beyond it would break the batch that it is written with. */
function isLevel(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 6;
}
