/** Optional dependencies: imported at first use, and missed with a message that helps. */

import { messageOf, SpringhouseError } from "./errors.ts";

/**
 * Imports a package that the user may not have installed.
 *
 * @param name the package, for the message.
 * @param purpose what it is needed for: "to read springhouse.config.yaml".
 * @param load imports it: `() => import("yaml")`, so that types follow.
 * @throws `MISSING_DEPENDENCY` with the command that installs it. An error inside of the package
 *   is thrown as it is.
 */
export async function importOptional<Module>(
  name: string,
  purpose: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    const { code } = error as { readonly code?: string };
    if (code !== "ERR_MODULE_NOT_FOUND" || !messageOf(error).includes(`'${name}'`)) throw error;
    throw new SpringhouseError(
      "MISSING_DEPENDENCY",
      `The package "${name}" is needed ${purpose}. Install it: npm install ${name}`,
      { cause: error, fields: { dependency: name, install: `npm install ${name}` } },
    );
  }
}
