/**
 * The text with ASCII letters in lower case, and all others as they are: that is how SQLite has
 * names alike, and texts under NOCASE. JavaScript folds more, so "Ä" and "ä", "k" and the sign of
 * the unit kelvin, which are two columns in SQLite, would be one.
 */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
