// Finds the product's TypeScript files from each other.

/**
 * Finds one source of a project from another without looking at the disk, as Node does at length: its sources name each other by their
 * whole names, relative or by the `imports` of package.json, and there are no links among them.
 * @param {string} rootUrl the project's root folder, with a slash at its end
 * @param {Readonly<Record<string, string>>} imports of package.json, such as `"#wire/*": "./wire/*"`
 * @returns {(specifier: string, parentUrl: string | undefined) => string | undefined} undefined: no source of the project's, which Node
 * shall look for
 */
export function sourceFinder(rootUrl, imports) {
  const folders = new Map(
    Object.entries(imports).map(([name, path]) => [withoutStar(name), new URL(withoutStar(path), rootUrl).href]),
  );
  const dependencies = `${rootUrl}node_modules/`;
  return (specifier, parentUrl) => {
    if (!specifier.endsWith(".ts") || parentUrl?.startsWith(rootUrl) !== true) return undefined;
    if (parentUrl.startsWith(dependencies)) return undefined;
    if (specifier.startsWith("./") || specifier.startsWith("../")) return new URL(specifier, parentUrl).href;
    const name = specifier.slice(0, specifier.indexOf("/") + 1);
    const folder = folders.get(name);
    return folder === undefined ? undefined : folder + specifier.slice(name.length);
  };
}

/** @param {string} pattern */
function withoutStar(pattern) {
  return pattern.slice(0, pattern.indexOf("*"));
}
