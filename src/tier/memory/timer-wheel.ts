/**
 * A hierarchical timer wheel: finds what has expired without looking at what has not.
 *
 * Each level is a ring of buckets, each bucket a list of entries that end within its span. An
 * entry goes to the finest level that reaches its end. When time passes a bucket, its entries have
 * either expired or move to a finer level, so an entry is looked at once a level at the most.
 * Scheduling and cancelling are O(1). After G. Varghese and T. Lauck, "Hashed and Hierarchical
 * Timing Wheels" (1987), in the use for caches that Caffeine gives it.
 */

/** What the wheel keeps of an entry; only the wheel writes it. */
export interface WheelNode {
  /** When the entry ends, milliseconds of the wheel's clock. */
  readonly endsMs: number;
  wheelPrevious: WheelNode | undefined;
  wheelNext: WheelNode | undefined;
}

/** Spans of a bucket, each a power of two near a second, a minute, an hour and a day. */
const SPAN_SHIFTS = [10, 16, 22, 27] as const;
const BUCKETS = 64;
/** Entries that move to a finer level between two pauses. */
const MOVED_AT_ONCE = 256;

/** Entries by the time of their end. */
export class TimerWheel<Node extends WheelNode> {
  readonly #levels: WheelNode[][];
  #nowMs: number;

  constructor(nowMs: number) {
    this.#nowMs = Math.floor(nowMs);
    this.#levels = SPAN_SHIFTS.map(() => Array.from({ length: BUCKETS }, () => sentinel()));
  }

  /** Puts an entry in. One that never ends is not kept. */
  schedule(node: Node): void {
    if (node.endsMs === Number.POSITIVE_INFINITY) return;
    const bucket = this.#bucketOf(node.endsMs);
    const last = bucket.wheelPrevious as WheelNode;
    node.wheelPrevious = last;
    node.wheelNext = bucket;
    last.wheelNext = node;
    bucket.wheelPrevious = node;
  }

  /** Takes an entry out; does nothing when it is not in. */
  cancel(node: Node): void {
    const { wheelPrevious: previous, wheelNext: next } = node;
    if (previous === undefined || next === undefined) return;
    previous.wheelNext = next;
    next.wheelPrevious = previous;
    node.wheelPrevious = undefined;
    node.wheelNext = undefined;
  }

  /**
   * Moves the wheel to `nowMs` and gives out, one by one and unscheduled, the entries that ended;
   * now and then nothing, so that the caller can pause while the others get nearer to their end.
   * The caller may pause between two of them, schedule and cancel others, and go on; one sweep
   * must end before the next begins.
   */
  *advance(nowMs: number): Generator<Node | undefined, void, undefined> {
    const fromMs = this.#nowMs;
    this.#nowMs = Math.max(fromMs, Math.floor(nowMs));
    for (const [level, shift] of SPAN_SHIFTS.entries()) {
      const from = Math.floor(fromMs / 2 ** shift);
      const steps = Math.min(BUCKETS, Math.floor(this.#nowMs / 2 ** shift) - from + 1);
      for (let step = 0; step < steps; step++) {
        const bucket = this.#levels[level]?.[(from + step) % BUCKETS];
        if (bucket !== undefined) yield* this.#empty(bucket);
      }
    }
  }

  /** Gives out what has ended of a bucket; the rest goes where it belongs by now. */
  *#empty(bucket: WheelNode): Generator<Node | undefined, void, undefined> {
    // The ring gets another head, so that what returns to this bucket is not met again.
    const head = sentinel();
    if (bucket.wheelNext === bucket) return;
    head.wheelNext = bucket.wheelNext as WheelNode;
    head.wheelPrevious = bucket.wheelPrevious as WheelNode;
    head.wheelNext.wheelPrevious = head;
    head.wheelPrevious.wheelNext = head;
    bucket.wheelNext = bucket;
    bucket.wheelPrevious = bucket;
    let moved = 0;
    while (head.wheelNext !== head) {
      const node = head.wheelNext as Node;
      this.cancel(node);
      if (node.endsMs <= this.#nowMs) yield node;
      else this.schedule(node);
      if (++moved % MOVED_AT_ONCE === 0) yield undefined;
    }
  }

  #bucketOf(endsMs: number): WheelNode {
    const aheadMs = Math.max(0, endsMs - this.#nowMs);
    let level = SPAN_SHIFTS.findIndex((shift) => aheadMs < BUCKETS * 2 ** shift);
    // What ends beyond the last level waits there and is put in again when its bucket comes.
    if (level < 0) level = SPAN_SHIFTS.length - 1;
    const shift = SPAN_SHIFTS[level] ?? 0;
    const reachMs = Math.min(endsMs, this.#nowMs + (BUCKETS - 1) * 2 ** shift);
    const index = Math.floor(Math.max(reachMs, this.#nowMs) / 2 ** shift) % BUCKETS;
    return this.#levels[level]?.[index] as WheelNode;
  }
}

/** The head of an empty ring. */
function sentinel(): WheelNode {
  const head: WheelNode = { endsMs: 0, wheelPrevious: undefined, wheelNext: undefined };
  head.wheelPrevious = head;
  head.wheelNext = head;
  return head;
}
