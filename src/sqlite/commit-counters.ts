/**
 * How the main thread knows that the writer thread may just have changed the file.
 *
 * Numbers in shared memory. The thread raises `announced` before each COMMIT and `settled` when
 * that has succeeded or failed. Who has looked at the file when `settled` was n has seen all
 * commits up to n; as long as `announced` is still n, there is none that it has not seen. So a
 * value from memory may be handed out after one comparison, and no message has to arrive first.
 *
 * A third number, `lockWaits`, is for people: how often the lock was somebody else's.
 */

const ANNOUNCED = 0;
const SETTLED = 1;
const LOCK_WAITS = 2;
const BYTES = 12;

/** The numbers of one writer and of the threads that follow it when it dies. */
export class CommitCounters {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;

  /** @param memory that of the other side. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  get announced(): number {
    return Atomics.load(this.#cells, ANNOUNCED);
  }

  get settled(): number {
    return Atomics.load(this.#cells, SETTLED);
  }

  /** How often the thread found the write lock held by another process, and had to wait. */
  get lockWaits(): number {
    return Atomics.load(this.#cells, LOCK_WAITS);
  }

  /** Notes such a wait. The thread's side. */
  noteLockWait(): void {
    Atomics.add(this.#cells, LOCK_WAITS, 1);
  }

  /** Runs a COMMIT. The thread's side. */
  around(commit: () => void): void {
    Atomics.add(this.#cells, ANNOUNCED, 1);
    try {
      commit();
    } finally {
      Atomics.add(this.#cells, SETTLED, 1);
    }
  }

  /** The thread has died, and with it what it had announced: the file has it or never will. */
  abandon(): void {
    Atomics.store(this.#cells, SETTLED, this.announced);
  }
}
