/** Secrets on their way out of a text: where one ends, in as many chunks as it takes. */

/** Stands for what is not shown. */
export const HIDDEN = "***";

const LINE_FEED = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = [0x5b, 0x7b];
const CLOSING = [0x5d, 0x7d];
const ENDS_PARAMETER = /[\s&;#"']/;
const IN_NUMBER = /[\d.eE+-]/;

/** A secret that has begun. */
export interface SkippedSecret {
  /** What stands in its place. */
  readonly mask: string;
  /** Whether its end was found. */
  readonly isOver: boolean;
  /**
   * Takes text from a position on: where the secret ends in it. Before the end is found, what is
   * behind the position is to be given again with the next chunk.
   */
  end(text: string, at: number): number;
}

/** A text, a number, a list or an object of JSON. */
export class SkippedValue implements SkippedSecret {
  readonly mask: string = `"${HIDDEN}"`;
  readonly #isLine: boolean;
  #isOver = false;
  #isNumber: boolean | undefined;
  #depth = 0;
  #isInText = false;
  #isEscaped = false;

  /** @param isLine whether a line break ends it, whatever is open. */
  constructor(isLine: boolean) {
    this.#isLine = isLine;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  end(text: string, from: number): number {
    this.#isNumber ??= IN_NUMBER.test(text.charAt(from));
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      const isCut = this.#isLine && code === LINE_FEED;
      this.#isOver = isCut || (this.#isNumber && !IN_NUMBER.test(text.charAt(at)));
      if (this.#isOver) return at;
      if (this.#isNumber) continue;
      this.#take(code);
      this.#isOver = this.#depth === 0 && !this.#isInText;
      if (this.#isOver) return at + 1;
    }
    return text.length;
  }

  #take(code: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (this.#isInText && code === BACKSLASH) this.#isEscaped = true;
    else if (code === QUOTE) this.#isInText = !this.#isInText;
    else if (!this.#isInText && OPENING.includes(code)) this.#depth++;
    else if (!this.#isInText && CLOSING.includes(code)) this.#depth--;
  }
}

/** The value of a parameter: to the next parameter, or the end of the URL or word. */
export class SkippedParameter implements SkippedSecret {
  readonly mask: string = HIDDEN;
  readonly #isCsv: boolean;
  #isOver = false;

  /** @param isCsv whether commas end it, rather than escapes of JSON. */
  constructor(isCsv: boolean) {
    this.#isCsv = isCsv;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  end(text: string, from: number): number {
    for (let at = from; at < text.length; at++) {
      const character = text.charAt(at);
      if (character === "\\" && !this.#isCsv) {
        if (at + 1 === text.length) return at;
        // A slash and letters may stand there escaped; the other escapes are blanks and quotes.
        this.#isOver = !/[/u]/.test(text.charAt(at + 1));
      } else this.#isOver = ENDS_PARAMETER.test(character) || (this.#isCsv && character === ",");
      if (this.#isOver) return at;
    }
    return text.length;
  }
}
