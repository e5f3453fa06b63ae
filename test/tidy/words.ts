/** Forms of the language that the house does without. */

import { importsOf, lineAt, maskOf, type Project, sources } from "./project.ts";

/** `any` switches the compiler off for whatever it touches. */
export function anyTypes(project: Project): string[] {
  return occurrences(
    project,
    ["src", "test", "scripts", "bench", "examples"],
    /(?<![.\w$#])any\b(?!\s*[(:?]|\s*=[^>])/g,
    'the type "any". Use "unknown" and narrow it.',
  );
}

/** `export *` hides what is public. */
export function exportStars(project: Project): string[] {
  return occurrences(project, ["src"], /\bexport\s*\*/g, '"export *". Name what is exported.');
}

/** An index is for users of the package; inside, it would make every part load every other. */
export function indexImports(project: Project): string[] {
  const wrong: string[] = [];
  for (const [path, text] of sources(project, "src")) {
    for (const { specifier, line } of importsOf(path, text)) {
      if (!/(?:^|\/)index\.ts$/.test(specifier)) continue;
      wrong.push(`${path}:${line}: imports an index. Import the file that owns the name.`);
    }
  }
  return wrong;
}

function occurrences(
  project: Project,
  folders: readonly string[],
  form: RegExp,
  what: string,
): string[] {
  const wrong: string[] = [];
  for (const [path, text] of sources(project, ...folders)) {
    for (const match of maskOf(text).code.matchAll(form)) {
      wrong.push(`${path}:${lineAt(text, match.index)}: ${what}`);
    }
  }
  return wrong;
}
