/**
 * Patterns of SQLite's GLOB that find a text in upper and lower case alike, in all scripts. LIKE
 * does so for the letters of ASCII alone, and a function of ours is not to be had on every
 * connection. GLOB knows classes, so each letter becomes the class of its forms: `[äÄ][rR]`.
 *
 * Forms of several characters are left out, as the search index leaves them out too: "ß" finds "ẞ"
 * and not "SS". An accent that is a character of its own is not the same as a letter with it.
 */

/** Forms that the mappings of a single character do not lead to. */
const FURTHER_FORMS: Readonly<Record<string, string>> = {
  σ: "ς",
  ß: "ẞ",
  k: "\u212a",
  å: "\u212b",
};

/** A pattern for texts that contain `text`. */
export function globOf(text: string): string {
  return `*${[...text].map(classOf).join("")}*`;
}

/** A class also takes its meaning from `*`, `?` and `[`. */
function classOf(character: string): string {
  if (character === "^" || character === "]") return character;
  const lower = character.toLowerCase();
  const upper = character.toUpperCase();
  const forms = [character, lower, upper, upper.toLowerCase(), FURTHER_FORMS[lower] ?? ""];
  return `[${[...new Set(forms.filter(isOneCharacter))].join("")}]`;
}

function isOneCharacter(text: string): boolean {
  return text !== "" && [...text].length === 1;
}
