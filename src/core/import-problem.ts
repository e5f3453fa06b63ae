/** Why a module of the user could not be imported, with the way out of the most common mistake. */

import { messageOf } from "./errors.ts";

/** What Node.js says about `import` and `export` in a file that it takes for CommonJS. */
const COMMONJS = /Cannot use import statement outside a module|Unexpected token 'export'/;

/** The problem in words, without a full stop at its end. */
export function importProblem(error: unknown): string {
  const problem = messageOf(error);
  if (!COMMONJS.test(problem)) return problem;
  return (
    `${problem}. Node.js takes the file for CommonJS: set "type": "module" in the package.json ` +
    "beside it, or let its name end in .mts"
  );
}
