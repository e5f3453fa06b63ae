/** Documents that name things in the code must name things that are there. */

import { posix } from "node:path";
import { maskOf, type Project } from "./project.ts";

/** Differences between the error codes and the third-level headings of docs/errors.md. */
export function wrongErrorHeadings(project: Project, codes: readonly string[]): string[] {
  const text = project.files.get("docs/errors.md");
  if (text === undefined) return ["docs/errors.md is missing. Write a heading for each code."];
  const headings = [...withoutFences(text).matchAll(/^### (.+)$/gm)].map(([, title]) => title);
  const wrong: string[] = [];
  for (const code of codes) {
    if (!headings.includes(code)) wrong.push(`docs/errors.md: add the heading "### ${code}".`);
  }
  for (const heading of headings) {
    if (codes.includes(heading ?? "")) continue;
    wrong.push(`docs/errors.md: "${heading}" is no code. Remove it or add it to core/errors.ts.`);
  }
  if (wrong.length === 0 && headings.join() !== codes.join()) {
    wrong.push("docs/errors.md: put the headings in the order of ERROR_CODES.");
  }
  return wrong;
}

/** Relative links of Markdown files that lead nowhere. */
export function brokenLinks(project: Project): string[] {
  const wrong: string[] = [];
  for (const [path, text] of project.files) {
    if (!path.endsWith(".md")) continue;
    for (const [, link = ""] of withoutFences(text).matchAll(/\]\(([^()\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : posix.join(posix.dirname(path), file);
      if (!exists(project, target)) {
        wrong.push(`${path}: the link "${link}" leads to no file. Mend it.`);
      } else if (anchor !== undefined && !anchorsOf(project, target).includes(anchor)) {
        wrong.push(`${path}: "${link}" leads to no heading of ${target}. Mend it.`);
      }
    }
  }
  return wrong;
}

/** How many requirements, flaws and disagreements of the seeds there are, by their letter. */
const NUMBERS_MAX: Readonly<Record<string, number>> = { R: 449, F: 128, X: 14 };

/** Rows of docs/requirements.md with a wrong or repeated number, or a test that is not there. */
export function wrongRequirements(project: Project): string[] {
  const path = "docs/requirements.md";
  const text = project.files.get(path);
  if (text === undefined) return [`${path} is missing. Name the test of each requirement.`];
  const wrong: string[] = [];
  const seen = new Set<string>();
  for (const [number, , tests] of tableRows(text)) {
    if (number === undefined || tests === undefined) continue;
    const [, letter = "", digits = ""] = /^([RFX])([1-9]\d*)$/.exec(number) ?? [];
    if (letter === "" || Number(digits) > (NUMBERS_MAX[letter] ?? 0)) {
      wrong.push(`${path}: "${number}" is not a number such as R12, F3 or X8.`);
    }
    if (seen.has(number)) wrong.push(`${path}: ${number} has two rows. Join them.`);
    seen.add(number);
    for (const reference of tests.split("<br>")) {
      const problem = wrongReference(project, reference.trim());
      if (problem !== undefined) wrong.push(`${path}: ${number}: ${problem}`);
    }
  }
  return wrong;
}

const REFERENCE = /^`?((?:test|src\/testing\/tier)\/\S+\.ts)`? › (.+)$/;
/** Suites that every store, or every tier, runs; the latter are published with `testing`. */
const CONTRACTS = /^(?:test\/contract|src\/testing\/tier)\//;

/**
 * What is wrong with a text of the form "test/file.ts › title", or `npm run name` for what is held
 * by a command instead of a test, or `npm run -s bench -- name` for what is a figure.
 */
function wrongReference(project: Project, reference: string): string | undefined {
  const bench = /^`npm run -s bench -- ([\w-]+)`$/.exec(reference)?.[1];
  if (bench !== undefined) {
    return project.files.has(`bench/${bench}.ts`) ? undefined : `there is no bench ${bench}.`;
  }
  const script = /^`npm run ([\w:]+)`$/.exec(reference)?.[1];
  if (script !== undefined) {
    const manifest = JSON.parse(project.files.get("package.json") ?? "{}") as {
      readonly scripts?: Readonly<Record<string, string>>;
    };
    return script in (manifest.scripts ?? {}) ? undefined : `there is no npm run ${script}.`;
  }
  const [, file = "", title = ""] = REFERENCE.exec(reference) ?? [];
  if (file === "") return `"${reference}" is not of the form "test/file.ts › title".`;
  const text = project.files.get(file);
  if (text === undefined) return `${file} does not exist.`;
  const titles = CONTRACTS.test(file) ? contractTitlesOf(text) : titlesOf(text);
  if (titles.includes(title)) return undefined;
  return `${file} has no test "${title}".`;
}

/** The titles of the tests of a file; those made in a loop from a template keep their `${…}`. */
export function titlesOf(text: string): string[] {
  const { code } = maskOf(text);
  const titles: string[] = [];
  for (const match of code.matchAll(/(?<![.\w$])(?:it|test)\b[\w$.]*(?:<[^()]*>)?\s*\(/g)) {
    let at = match.index + match[0].length;
    if (/\.(?:each|for|skipIf|runIf)(?:<[^()]*>)?\s*\($/.test(match[0])) {
      const second = /^\s*\(/.exec(code.slice(closingParenthesis(code, at) + 1));
      if (second === null) continue;
      at = closingParenthesis(code, at) + 1 + second[0].length;
    }
    const title = /^\s*(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`)/.exec(
      text.slice(at),
    );
    const found = title?.[1] ?? title?.[2] ?? title?.[3];
    if (found !== undefined) titles.push(found.replace(/\\(["'`\\])/g, "$1"));
  }
  return titles;
}

/** The sentences of a contract suite, which are the keys of an object of functions. */
function contractTitlesOf(text: string): string[] {
  return [...text.matchAll(/^\s*"((?:[^"\\\n]|\\.)+)":\s*(?:async\b|\()/gm)].map(
    ([, title = ""]) => title,
  );
}

function closingParenthesis(code: string, from: number): number {
  let depth = 1;
  for (let at = from; at < code.length; at++) {
    if (code[at] === "(") depth++;
    if (code[at] === ")" && --depth === 0) return at;
  }
  return code.length;
}

/** The cells of every table row but the head and the line below it. */
function tableRows(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\|[\s|:-]+\|$/.test(line))
    .map((line) => line.slice(1, line.lastIndexOf("|")).split(/(?<!\\)\|/))
    .map((cells) => cells.map((cell) => cell.trim().replaceAll("\\|", "|")))
    .filter(([first]) => first !== "number");
}

function exists(project: Project, path: string): boolean {
  const folder = path.endsWith("/") ? path : `${path}/`;
  if (project.files.has(path)) return true;
  return [...project.files.keys()].some((file) => folder === "./" || file.startsWith(folder));
}

/** Anchors of the headings of a Markdown file, made as GitHub makes them. */
function anchorsOf(project: Project, path: string): string[] {
  const text = withoutFences(project.files.get(path) ?? "");
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-"),
  );
}

function withoutFences(text: string): string {
  return text.replace(/^(```+|~~~+)[^\n]*\n[\s\S]*?^\1\s*$/gm, "").replace(/`[^`\n]+`/g, "");
}
