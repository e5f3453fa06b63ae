/** Two small tools of a pipeline: work on many things at once, and write many with one commit. */

/** A write that would hold the writer longer than others like to wait. */
const BATCH_ROWS_MAX = 500;

/**
 * Works on the items, so many at a time. The first failure ends it, when what is under way has
 * ended as well.
 */
export async function forEachConcurrently<T>(
  items: AsyncGenerator<T, void, undefined>,
  workers: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let hasFailed = false;
  const worker = async (): Promise<void> => {
    while (!hasFailed) {
      const next = await items.next();
      if (next.done === true) return;
      try {
        await work(next.value);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: workers }, worker));
  await items.return();
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

interface Waiting<Row> {
  readonly row: Row;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Writes rows in batches: what comes while a batch is being committed makes the next one. Nobody
 * waits for a batch to fill up, and the busier it is the larger batches are. It holds at most as
 * many rows as there are callers that wait.
 */
export class BatchWriter<Row> {
  readonly #save: (rows: readonly Row[]) => Promise<void>;
  #waiting: Waiting<Row>[] = [];
  #isWriting = false;
  #batches = 0;

  /** @param save commits the rows, all or none. */
  constructor(save: (rows: readonly Row[]) => Promise<void>) {
    this.#save = save;
  }

  /** Batches so far. */
  get batches(): number {
    return this.#batches;
  }

  /** Resolves when the row is committed; rejects with what its batch failed with. */
  write(row: Row): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ row, done });
    if (!this.#isWriting) void this.#writeAll();
    return done.promise;
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    for (let batch = this.#next(); batch.length > 0; batch = this.#next()) {
      this.#batches++;
      try {
        await this.#save(batch.map(({ row }) => row));
        for (const { done } of batch) done.resolve();
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
    this.#isWriting = false;
  }

  #next(): readonly Waiting<Row>[] {
    return this.#waiting.splice(0, BATCH_ROWS_MAX);
  }
}
