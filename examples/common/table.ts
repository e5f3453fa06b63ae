/** Plain tables for a terminal: columns as wide as their longest cell, numbers to the right. */

/** Characters that a cell may take before it is cut. */
const CELL_CHARACTERS_MAX = 80;

/** One cell: numbers stand to the right. */
export type Cell = string | number | null;

/** A table with a title and a line under its heads; a table without rows says so. */
export function table(title: string, heads: readonly string[], rows: readonly Cell[][]): string {
  if (rows.length === 0) return `${title}\n  (none)\n`;
  const cells = [[...heads], ...rows.map((row) => row.map(show))];
  const widths = heads.map((_, at) => Math.max(...cells.map((row) => (row[at] ?? "").length)));
  const isNumber = heads.map((_, at) =>
    rows.every((row) => row[at] === null || typeof row[at] === "number"),
  );
  const lines = cells.map((row) => {
    const padded = row.map((cell, at) =>
      isNumber[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
    );
    return `  ${padded.join("  ")}`.trimEnd();
  });
  const rule = `  ${widths.map((width) => "─".repeat(width)).join("  ")}`;
  return `${[title, lines[0], rule, ...lines.slice(1)].join("\n")}\n`;
}

/** The line below a table that does not show all; nothing when it does. */
export function moreLine(rows: number): string {
  return rows > 0 ? `  … ${rows.toLocaleString("en-US")} more\n` : "";
}

/** Names and values, one a line. */
export function list(title: string, entries: readonly (readonly [string, Cell])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  const lines = entries.map(([name, value]) => `  ${name.padEnd(width)}  ${show(value)}`);
  return `${[title, ...lines].join("\n")}\n`;
}

function show(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") {
    return cell.toLocaleString("en-US", { maximumFractionDigits: 2 });
  }
  const line = cell.replaceAll(/\s+/g, " ");
  return line.length <= CELL_CHARACTERS_MAX ? line : `${line.slice(0, CELL_CHARACTERS_MAX - 1)}…`;
}
