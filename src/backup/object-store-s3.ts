/**
 * Objects in a bucket of S3, or of anything that speaks its protocol, through the optional package
 * `@aws-sdk/client-s3`. Credentials come from where the SDK finds them: the environment, a profile,
 * the role of the machine; never from the URL, which is printed.
 */

import type { S3Client } from "@aws-sdk/client-s3";
import { throwIfAborted } from "../core/abort.ts";
import { messageOf, SpringhouseError } from "../core/errors.ts";
import { importOptional } from "../core/lazy.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { ObjectStore, StoredObject } from "./object-store.ts";

type Sdk = Pick<
  typeof import("@aws-sdk/client-s3"),
  | "DeleteObjectsCommand"
  | "GetObjectCommand"
  | "ListObjectsV2Command"
  | "PutObjectCommand"
  | "S3Client"
>;

/** What the protocol deletes with one request. */
const DROP_BATCH_MAX = 1_000;
/** With growing pauses; who ships tries again by himself anyway. */
const ATTEMPTS_MAX = 3;
/** A segment has a few megabytes; a connection that says nothing for so long is dead. */
const TIMEOUT_MS = 60_000;
/** Buckets of other makers than Amazon mostly have no region, and the protocol wants one. */
const REGION_OF_OTHERS = "us-east-1";

/** A bucket and the beginning of the names in it. */
export interface S3Place {
  readonly bucket: string;
  /** With a slash at its end, or empty. */
  readonly prefix: string;
  /** The server, when it is not Amazon's. */
  readonly endpoint: string | undefined;
  /** Default: the SDK's own choice. */
  readonly region: string | undefined;
}

/**
 * What `s3://bucket/prefix?endpoint=https://host&region=name` says.
 *
 * @throws `INVALID_URL` when it has no bucket, has credentials, or an unknown parameter.
 */
export function parseS3Url(url: string): S3Place {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.protocol !== "s3:" || parsed.hostname === "") {
    throw wrongUrl(url, "It has to be s3://BUCKET/PREFIX.");
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw wrongUrl(`s3://${parsed.host}`, "Give the keys by AWS_ACCESS_KEY_ID and its like.");
  }
  const parameters = Object.fromEntries(parsed.searchParams);
  refuseUnknownKeys(parameters, ["endpoint", "region"], url, "INVALID_URL");
  const path = decodeURIComponent(parsed.pathname).replace(/^\/+|\/+$/g, "");
  return {
    bucket: parsed.hostname,
    prefix: path === "" ? "" : `${path}/`,
    endpoint: parameters["endpoint"],
    region: parameters["region"],
  };
}

function wrongUrl(url: string, advice: string): SpringhouseError {
  return new SpringhouseError("INVALID_URL", `${url} is no place in S3. ${advice}`);
}

/**
 * The store in a bucket.
 *
 * @throws `MISSING_DEPENDENCY` when `@aws-sdk/client-s3` is not installed.
 */
export async function s3Store(
  place: S3Place,
  load: () => Promise<Sdk> = () => import("@aws-sdk/client-s3"),
): Promise<ObjectStore> {
  const sdk = await importOptional("@aws-sdk/client-s3", "to keep backups in S3", load);
  const { endpoint, region = endpoint === undefined ? undefined : REGION_OF_OTHERS } = place;
  const client = new sdk.S3Client({
    maxAttempts: ATTEMPTS_MAX,
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
  });
  return new S3Store(sdk, client, place);
}

class S3Store implements ObjectStore {
  readonly place: string;
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(sdk: Sdk, client: S3Client, { bucket, prefix }: S3Place) {
    this.#sdk = sdk;
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.place = `s3://${bucket}/${prefix}`;
  }

  async put(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#attempt(name, signal, (options) => {
      const input = { Bucket: this.#bucket, Key: this.#prefix + name, Body: bytes };
      return this.#client.send(new this.#sdk.PutObjectCommand(input), options);
    });
  }

  async get(name: string, signal?: AbortSignal): Promise<Uint8Array> {
    return await this.#attempt(name, signal, async (options) => {
      const input = { Bucket: this.#bucket, Key: this.#prefix + name };
      const { Body } = await this.#client.send(new this.#sdk.GetObjectCommand(input), options);
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    });
  }

  async list(prefix: string, signal?: AbortSignal): Promise<readonly StoredObject[]> {
    const found: StoredObject[] = [];
    let token: string | undefined;
    do {
      const input = {
        Bucket: this.#bucket,
        Prefix: this.#prefix + prefix,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      };
      const page = await this.#attempt(prefix, signal, (options) =>
        this.#client.send(new this.#sdk.ListObjectsV2Command(input), options),
      );
      for (const { Key, Size } of page.Contents ?? []) {
        if (Key === undefined) continue;
        found.push({ name: Key.slice(this.#prefix.length), sizeBytes: Size ?? 0 });
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async drop(names: readonly string[], signal?: AbortSignal): Promise<void> {
    for (let start = 0; start < names.length; start += DROP_BATCH_MAX) {
      const batch = names.slice(start, start + DROP_BATCH_MAX);
      const Objects = batch.map((name) => ({ Key: this.#prefix + name }));
      const input = { Bucket: this.#bucket, Delete: { Objects, Quiet: true } };
      const { Errors = [] } = await this.#attempt(batch[0] ?? "", signal, (options) =>
        this.#client.send(new this.#sdk.DeleteObjectsCommand(input), options),
      );
      const [first] = Errors;
      if (first !== undefined) throw this.#failed(first.Key ?? "", new Error(first.Message));
    }
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  async #attempt<T>(
    name: string,
    signal: AbortSignal | undefined,
    send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const abortSignal = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    try {
      return await send({ abortSignal });
    } catch (error) {
      throwIfAborted(signal, `A request to ${this.place}`);
      throw this.#failed(name, error);
    }
  }

  #failed(name: string, error: unknown): SpringhouseError {
    const { name: kind } = error as { readonly name?: string };
    const fields = { place: this.place, name };
    if (kind === "NoSuchKey" || kind === "NotFound") {
      const message = `${this.place}${name} does not exist.`;
      return new SpringhouseError("NOT_FOUND", message, { cause: error, fields });
    }
    const message =
      `${this.place}${name}: ${messageOf(error)}. Check the bucket, the keys and the network; ` +
      "nothing was written or read.";
    return new SpringhouseError("IO", message, { cause: error, fields });
  }
}
