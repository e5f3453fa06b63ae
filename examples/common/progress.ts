/**
 * Progress on standard error: one line that is redrawn on a terminal, and a plain line for each
 * tenth of the way elsewhere, so that a log stays readable.
 */

/** Redrawing more often costs time and shows nothing new. */
const REDRAW_MS = 100;
const BAR_CELLS = 24;

/** Where progress is written to. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Where progress goes beside `--json`: to a person who watches, never into a log. */
export function progressStream(stream: ProgressStream, isJson: boolean): ProgressStream {
  return isJson && stream.isTTY !== true ? { write: () => undefined } : stream;
}

/** Told how far a piece of work is; `total` is 0 while it is not known. */
export type Report = (done: number, total: number) => void;

/** Shows one piece of work after another. */
export class Progress {
  readonly #stream: ProgressStream;
  readonly #nowMs: () => number;
  #drawn = "";

  constructor(stream: ProgressStream, nowMs: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#nowMs = nowMs;
  }

  /** Runs one piece of work under a title, and says how long it took. */
  async during<T>(title: string, work: (report: Report) => Promise<T>): Promise<T> {
    const startMs = this.#nowMs();
    this.#stream.write(this.#stream.isTTY ? "" : `${title} …\n`);
    try {
      const result = await work(this.#reporter(title));
      this.#clear();
      this.#stream.write(`${title}: done in ${timeText(this.#nowMs() - startMs)}\n`);
      return result;
    } finally {
      this.#clear();
    }
  }

  #reporter(title: string): Report {
    let shownMs = Number.NEGATIVE_INFINITY;
    let tenth = 0;
    return (done, total) => {
      const nowMs = this.#nowMs();
      if (this.#stream.isTTY) {
        if (nowMs - shownMs < REDRAW_MS) return;
        shownMs = nowMs;
        this.#draw(title, done, total);
      } else if (total > 0 && Math.floor((done / total) * 10) > tenth) {
        tenth = Math.floor((done / total) * 10);
        this.#stream.write(`${title}: ${count(done)} of ${count(total)}\n`);
      }
    };
  }

  #draw(title: string, done: number, total: number): void {
    const share = total > 0 ? Math.min(1, done / total) : 0;
    const filled = Math.round(share * BAR_CELLS);
    const bar = `${"█".repeat(filled)}${"░".repeat(BAR_CELLS - filled)}`;
    const rest = total > 0 ? `${bar} ${Math.floor(share * 100)} %` : "";
    this.#clear();
    this.#drawn = `${title}: ${count(done)} ${rest}`;
    this.#stream.write(this.#drawn);
  }

  #clear(): void {
    if (this.#drawn !== "") this.#stream.write("\r\u001b[2K");
    this.#drawn = "";
  }
}

/** A number for people: "203,621". */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** A number of rows for people: "1 row", "203,621 rows". */
export function rowsText(rows: number): string {
  return `${count(rows)} ${rows === 1 ? "row" : "rows"}`;
}

/** A time for people: "12 ms", "3.4 s". */
export function timeText(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** A size for people: "712 B", "96 KB", "41.3 MB"; units are powers of 1,024. */
export function sizeText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  if (bytes < 1_048_576) return `${Math.round(bytes / 1_024)} KB`;
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}
