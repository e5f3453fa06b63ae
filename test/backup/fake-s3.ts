/**
 * A bucket in memory behind the parts of S3's protocol that we use: put, get, list with pages, and
 * delete of several. It can be told to fail, and it tells what it was sent.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** Objects in one page of a list; small, so that every list of a test has pages. */
const PAGE = 3;

/** A running server with one bucket. */
export class FakeS3 {
  readonly objects = new Map<string, Buffer>();
  /** Method and path of every request. */
  readonly requests: string[] = [];
  /** Answers so many requests with 503 before it serves again. */
  failures = 0;
  #port = 0;

  /** Starts one that ends with the test, and sets the keys that the SDK looks for. */
  static async start(): Promise<FakeS3> {
    const fake = new FakeS3();
    const server = createServer((request, response) => void fake.#serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    fake.#port = (server.address() as AddressInfo).port;
    const keys = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
    Object.assign(process.env, keys);
    onTestFinished(async () => {
      for (const key of Object.keys(keys)) delete process.env[key];
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return fake;
  }

  /** The place to give to `openObjectStore`. */
  place(prefix = "app/segments"): string {
    return `s3://bucket/${prefix}?endpoint=http://127.0.0.1:${this.#port}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "", "http://server");
    this.requests.push(`${request.method} ${url.pathname}`);
    const key = decodeURIComponent(url.pathname).replace(/^\/bucket\/?/, "");
    if (this.failures > 0) {
      this.failures--;
      answer(response, 503, errorOf("SlowDown"));
    } else if (request.method === "PUT") {
      this.objects.set(key, bodyOf(request, Buffer.concat(chunks)));
      answer(response, 200, "");
    } else if (request.method === "POST") {
      for (const [, name = ""] of Buffer.concat(chunks)
        .toString()
        .matchAll(/<Key>(.*?)<\/Key>/g)) {
        this.objects.delete(name);
      }
      answer(response, 200, "<DeleteResult/>");
    } else if (key === "") answer(response, 200, this.#list(url.searchParams));
    else {
      const object = this.objects.get(key);
      if (object === undefined) answer(response, 404, errorOf("NoSuchKey"));
      else answer(response, 200, object);
    }
  }

  #list(parameters: URLSearchParams): string {
    const after = parameters.get("continuation-token") ?? "";
    const names = [...this.objects.keys()]
      .filter((name) => name.startsWith(parameters.get("prefix") ?? "") && name > after)
      .sort();
    const page = names.slice(0, PAGE);
    const contents = page.map((name) => {
      return `<Contents><Key>${name}</Key><Size>${this.objects.get(name)?.length}</Size></Contents>`;
    });
    const more = names.length > PAGE;
    const token = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : "";
    return (
      `<ListBucketResult><IsTruncated>${more}</IsTruncated>${token}` +
      `${contents.join("")}</ListBucketResult>`
    );
  }
}

/** A body in chunks with a signature or a checksum each has to be put together. */
function bodyOf(request: IncomingMessage, body: Buffer): Buffer {
  if (!String(request.headers["content-encoding"]).includes("aws-chunked")) return body;
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = body.indexOf("\r\n", at);
    const size = Number.parseInt(body.toString("latin1", at, end), 16);
    if (size === 0) return Buffer.concat(parts);
    parts.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

function errorOf(code: string): string {
  return `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
}

function answer(response: ServerResponse, status: number, body: string | Buffer): void {
  response.writeHead(status, { "content-type": "application/xml" }).end(body);
}
