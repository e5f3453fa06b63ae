/**
 * Window-TinyLFU with a window that adapts: the default.
 *
 * **Idea.** A cache has two kinds of customers. Recency: what was just used is used again soon.
 * Frequency: what was used often will be used again some day. So there are two parts. A new entry
 * comes into the *window*, which is LRU. What falls out of the window asks for a place in *main*,
 * and gets one only if it was used more often of late than main's next victim, as a sketch of 4-bit
 * counters tells of far more keys than the cache holds. Main is LRU in two segments: an entry comes
 * into *probation*, and one that is used there is *protected*, up to four fifths of main. The
 * oldest of probation, up to an eighth of the cache, are the *doomed*: the next to go.
 *
 *     add → arrival → window → probation → doomed → evicted
 *                         ↘ refused   ↘   ↙
 *                                   protected (sinks back to probation when there are too many)
 *
 * The *arrival* is the newest entry alone. It stays until the next one comes, whatever the window's
 * share and its own weight: whoever sets a value and reads it at once finds it. Room for the
 * heaviest of late is set aside for it (`spareWeight`), so that a heavy one turns nobody out whose
 * place the next candidate would then get without a duel.
 *
 * **The split.** Loops want no window, web pages a quarter, some databases nearly all. The share is
 * learnt from two sources (see `WindowShare`). Neither compares the hit ratio of one period with
 * that of the next, which climbs slowly and goes astray when the work itself changes:
 * - the margin: `Rejections` tells of keys that come back soon after they were refused, so that a
 *   longer window would have had them; hits on the doomed are what main would lose for it;
 * - a duel with LRU: `ShadowLru` plays plain LRU with a sample of the keys, and while it does
 *   better the window grows until we are LRU.
 *
 * **The duel at main's door.** The access that brought the candidate is not counted for it: it is
 * no sign of a return. With it the keys of a loop, all of one frequency, always seem one use ahead
 * of those that come next round, and push each other out (a loop of 1,011 keys at 750 entries: 64 %
 * hits when it counts, 74 % when it does not; the optimum is 74 %). A victim that has won several
 * times in a row without being used goes back to the end of the queue, so that an entry whose
 * counters others have filled does not hold the door shut. And a candidate that is warm is let in
 * now and then, by chance that nobody outside can foresee, against those who study the counters,
 * as Caffeine does. The hashes come seeded, and if all that is of no avail LRU wins the other duel.
 *
 * **Numbers.** Over 51 cells, a real trace at a size each, the mean share of the optimum's hits is
 * 0.89 (Caffeine 3.2.2: 0.863, LRU: 0.62), and no cell of 58 is more than 0.1 points below LRU
 * (Caffeine: 13 by more than 0.5 points, the worst by 9.7); `npm run -s bench -- hit-ratio`. All
 * constants lie on plains: half or twice the value moves the mean by at most 0.003.
 * Memory beside the nodes: for each entry 8 bytes of sketch and 4 of rejections, both doubling to
 * the next power of two and bounded, and 3 KB for LRU's sample. No access allocates; work that
 * moves nodes between segments is spread over the accesses that cause it.
 *
 * **Limits.** The window moves by about an entry for an access that speaks for it, so a change of
 * the whole split takes about as many as the cache has entries. Weights count for the sizes of the
 * segments, not for admission: a large popular entry is not weighed against many small ones. (An
 * entry that is too heavy for the window passes it by, so that it does not empty it.) What is
 * protected leaves only when others come to be protected, so after a change of the work it may be
 * dead for a while; where that costs much, LRU wins the duel and main shrinks.
 *
 * **References.** Einziger, Friedman, Manes, "TinyLFU: A Highly Efficient Cache Admission Policy",
 * ACM ToS 13(4), 2017; Einziger, Eytan, Friedman, Manes, "Adaptive Software Cache Management",
 * Middleware 2018, and the notes of Caffeine, whose climber this replaces; Megiddo, Modha, "ARC",
 * FAST 2003, for evidence from ghosts; Qureshi et al., "Adaptive Insertion Policies", ISCA 2007,
 * for the duel of policies on a sample; Karedla, Love, Wherry, "Caching Strategies to Improve Disk
 * System Performance", 1994, for the segments.
 */

import { FrequencySketch } from "./frequency-sketch.ts";
import { NO_QUEUE, NodeList } from "./node-list.ts";
import type { EvictionPolicy, PolicyNode } from "./policy.ts";
import { Rejections } from "./rejections.ts";
import { ShadowLru } from "./shadow-lru.ts";
import { WindowShare } from "./window-share.ts";

const WINDOW = 1;
const PROBATION = 2;
const DOOMED = 3;
const PROTECTED = 4;
const ARRIVAL = 5;

/** The part of main that may be protected; the four fifths of the papers. */
const PROTECTED_OF_MAIN = 0.8;
/** The part of the cache over which the margin is measured, on both sides: small enough that it is
 * the margin, large enough that there are hits to count. */
const MARGIN_SHARE = 1 / 8;
/** When fewer are doomed than the margin, each of their hits stands for so many at the most. */
const LOSS_HITS_MAX = 4;
/** The access that brought a candidate, which is in its frequency and does not count for it. */
const OWN_USE = 1;
/** Duels that a victim may win in a row without being used. */
const WINS_MAX = 8;
/** From this frequency on a refused candidate may be let in by chance. */
const WARM_FREQUENCY = 6;
/** The chance for that: enough to break a pinned main, too rare to cost hits. */
const WARM_CHANCE = 1 / 128;
/** What is set aside for heavy arrivals shrinks by half in about 180 lighter ones. */
const RESERVED_KEPT = 1 - 1 / 256;

/** The adaptive policy. */
export class WTinyLfu implements EvictionPolicy {
  /** One node at the most. */
  readonly #arrival = new NodeList(ARRIVAL);
  readonly #window = new NodeList(WINDOW);
  readonly #probation = new NodeList(PROBATION);
  readonly #doomed = new NodeList(DOOMED);
  readonly #protected = new NodeList(PROTECTED);
  readonly #share = new WindowShare();
  readonly #sketch = new FrequencySketch();
  readonly #rejections = new Rejections();
  readonly #shadow = new ShadowLru();
  readonly #capacity: number;
  readonly #random: () => number;
  /** The node that came to main's door last and has not met a victim yet. */
  #candidate: PolicyNode | undefined;
  /** The weight that is set aside for arrivals: that of the heaviest of late. */
  #reserved = 0;

  /** `random` gives numbers from 0 up to 1 that nobody outside can foresee. */
  constructor(capacity: number, random: () => number = Math.random) {
    this.#capacity = capacity;
    this.#random = random;
    this.#rejections.reserve(this.#sketch.entries);
  }

  /** The segments: arrival, window, probation, doomed, protected. For looking only. */
  get segments(): readonly NodeList[] {
    return [this.#arrival, this.#window, this.#probation, this.#doomed, this.#protected];
  }

  /** The window's share of the cache. */
  get windowShare(): number {
    return this.#share.value;
  }

  /** The memory taken beside the nodes. */
  get sizeBytes(): number {
    return this.#sketch.sizeBytes + this.#rejections.sizeBytes + this.#shadow.sizeBytes;
  }

  /** What an arrival leaves of the weight set aside: whoever filled it would have to go again. */
  get spareWeight(): number {
    return Math.max(0, this.#reserved - this.#arrival.weight);
  }

  add(node: PolicyNode): void {
    const { hash } = node;
    this.#sketch.increment(hash);
    const entries = Math.min(this.#entries() + 1, this.#capacity);
    if (entries > this.#sketch.entries) this.#reserve(entries);
    if (this.#rejections.has(hash, entries * MARGIN_SHARE)) this.#share.windowGained(entries);
    if (this.#shadow.miss(hash)) this.#share.duel(this.#shadow.scale, entries);
    node.mark = 0;
    this.#admitArrival();
    this.#arrival.push(node);
    this.#reserved = Math.max(node.weight, this.#reserved * RESERVED_KEPT);
    this.#rebalance();
  }

  touch(node: PolicyNode): void {
    // Uses are told in batches: the node may have gone in the meantime.
    if (node.queue === NO_QUEUE) return;
    const { hash } = node;
    this.#sketch.increment(hash);
    if (!this.#shadow.hit(hash)) this.#share.duel(-this.#shadow.scale, this.#entries());
    node.mark = 0;
    if (node.queue === WINDOW) this.#window.renew(node);
    else if (node.queue === PROTECTED) this.#protected.renew(node);
    else if (node.queue !== ARRIVAL) this.#protect(node);
  }

  reweigh(node: PolicyNode, weight: number): void {
    this.#listOf(node).reweigh(node, weight);
  }

  remove(node: PolicyNode): void {
    this.#unlink(node);
    this.#shadow.forget(node.hash);
  }

  evict(): PolicyNode | undefined {
    this.#rebalance();
    const candidate = this.#candidate;
    const victim = this.#victim(candidate);
    const gone = candidate === undefined ? victim : this.#loser(candidate, victim);
    this.#candidate = undefined;
    if (gone === undefined) return undefined;
    this.#unlink(gone);
    this.#shadow.leave(gone.hash);
    return gone;
  }

  clear(): void {
    this.#candidate = undefined;
    this.#shadow.clear();
    for (const list of this.segments) list.clear();
  }

  /** Main's next victim, the candidate aside; when main is empty the window's, then the last. */
  #victim(candidate: PolicyNode | undefined): PolicyNode | undefined {
    const { oldest } = this.#doomed.size > 0 ? this.#doomed : this.#probation;
    const first = oldest === candidate ? oldest?.next : oldest;
    const ofMain = first ?? this.#protected.oldest;
    if (ofMain !== undefined || candidate !== undefined) return ofMain;
    return this.#window.oldest ?? this.#arrival.oldest;
  }

  /** The one of the two that has to go. */
  #loser(candidate: PolicyNode, victim: PolicyNode | undefined): PolicyNode {
    if (victim === undefined) return candidate;
    const frequency = this.#sketch.frequency(candidate.hash);
    if (frequency - OWN_USE > this.#sketch.frequency(victim.hash)) return victim;
    if (frequency >= WARM_FREQUENCY && this.#random() < WARM_CHANCE) return victim;
    this.#rejections.remember(candidate.hash);
    if (victim.queue !== PROTECTED && ++victim.mark >= WINS_MAX) this.#requeue(victim);
    return candidate;
  }

  #requeue(victim: PolicyNode): void {
    victim.mark = 0;
    this.#listOf(victim).remove(victim);
    this.#probation.push(victim);
  }

  #protect(node: PolicyNode): void {
    if (node.queue === DOOMED && this.#doomed.weight > 0) {
      const hits = (MARGIN_SHARE * this.#weight()) / this.#doomed.weight;
      this.#share.mainLost(Math.min(hits, LOSS_HITS_MAX), this.#entries());
    }
    this.#unlink(node);
    this.#protected.push(node);
    this.#rebalance();
  }

  /** Moves nodes until no segment has more than its share of the present weight. */
  #rebalance(): void {
    const weight = this.#weight();
    const windowMax = this.#share.value * weight;
    const protectedMax = (weight - windowMax) * PROTECTED_OF_MAIN;
    const doomedMin = weight * MARGIN_SHARE;
    while (this.#window.weight > windowMax) {
      const oldest = this.#window.oldest as PolicyNode;
      this.#window.remove(oldest);
      this.#nominate(oldest);
    }
    while (this.#protected.weight > protectedMax) sink(this.#protected, this.#probation);
    while (this.#doomed.weight < doomedMin && this.#probation.size > 0) {
      sink(this.#probation, this.#doomed);
    }
  }

  /** The next one comes: what came last takes its place in the window, or passes it by. */
  #admitArrival(): void {
    const node = this.#arrival.oldest;
    if (node === undefined) return;
    this.#arrival.remove(node);
    const fits = node.weight <= this.#share.value * (this.#weight() + node.weight);
    if (fits) this.#window.push(node);
    else this.#nominate(node);
  }

  /** Makes a node that has left the window, or is too heavy for it, the candidate. */
  #nominate(node: PolicyNode): void {
    this.#probation.push(node);
    this.#rejections.depart();
    this.#candidate = node;
  }

  #reserve(entries: number): void {
    this.#sketch.reserve(entries);
    this.#rejections.reserve(this.#sketch.entries);
  }

  #unlink(node: PolicyNode): void {
    if (node === this.#candidate) this.#candidate = undefined;
    this.#listOf(node).remove(node);
  }

  #listOf(node: PolicyNode): NodeList {
    if (node.queue === WINDOW) return this.#window;
    if (node.queue === PROBATION) return this.#probation;
    if (node.queue === DOOMED) return this.#doomed;
    if (node.queue === ARRIVAL) return this.#arrival;
    return this.#protected;
  }

  #entries(): number {
    const main = this.#probation.size + this.#doomed.size + this.#protected.size;
    return this.#arrival.size + this.#window.size + main;
  }

  #weight(): number {
    const main = this.#probation.weight + this.#doomed.weight + this.#protected.weight;
    return this.#arrival.weight + this.#window.weight + main;
  }
}

/** Moves the oldest node of a list that is not empty to the new end of another. */
function sink(from: NodeList, to: NodeList): void {
  const node = from.oldest as PolicyNode;
  from.remove(node);
  to.push(node);
}
