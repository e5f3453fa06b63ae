/** The `where` language and orders on rows in memory, written as naively as possible. */

type Row = Readonly<Record<string, unknown>>;
type Where = Readonly<Record<string, unknown>>;

export function matches(row: Row, where: Where): boolean {
  return Object.entries(where).every(([name, value]) => {
    if (name === "and") return (value as Where[]).every((each) => matches(row, each));
    if (name === "or") return (value as Where[]).some((each) => matches(row, each));
    if (name === "not") return !matches(row, value as Where);
    const isPlain = typeof value !== "object" || value === null || value instanceof Date;
    const operators = isPlain ? { eq: value } : (value as Where);
    return Object.entries(operators).every(([operator, operand]) =>
      holds(comparable(row[name]), operator, operand),
    );
  });
}

function holds(value: unknown, operator: string, given: unknown): boolean {
  const operand = Array.isArray(given) ? given.map(comparable) : comparable(given);
  const list = operand as unknown[];
  if (operator === "eq") return value === operand;
  if (operator === "ne") return value !== operand;
  if (operator === "in") return list.includes(value);
  if (operator === "notIn") return !list.includes(value);
  if (value === null) return false;
  const order = compare(value, operand);
  if (operator === "gt") return order > 0;
  if (operator === "gte") return order >= 0;
  if (operator === "lt") return order < 0;
  if (operator === "lte") return order <= 0;
  const [text, part] = [String(value), String(operand)];
  if (operator === "startsWith") return text.startsWith(part);
  if (operator === "endsWith") return text.endsWith(part);
  if (operator === "contains") return text.includes(part);
  throw new Error(`no such operator: ${operator}`);
}

/** Rows by one property after the other; NULL first, texts by code points. */
export function sorted<R extends Row>(
  rows: readonly R[],
  order: readonly (readonly [string, "asc" | "desc"])[],
): R[] {
  return [...rows].sort((a, b) => {
    for (const [property, direction] of order) {
      const result = compare(comparable(a[property]), comparable(b[property]));
      if (result !== 0) return direction === "asc" ? result : -result;
    }
    return 0;
  });
}

function comparable(value: unknown): unknown {
  return value instanceof Date ? value.getTime() : value;
}

function compare(a: unknown, b: unknown): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  if (typeof a === "string" && typeof b === "string") {
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  return Number(a) - Number(b);
}
