/** Fails at once, with a reason, when the tests do not run on the Node.js that the package supports. */
export default function setup(): void {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 24 || (major === 24 && minor >= 15)) return;
  throw new Error(
    `Node.js >= 24.15 is needed, this is ${process.versions.node}. ` +
      "Run the tests with `npm test`, which uses the Node.js in node_modules/.bin.",
  );
}
