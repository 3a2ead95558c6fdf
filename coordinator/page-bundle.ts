import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** One file of the operator page, ready to be served. */
export interface PageFile {
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/**
 * The page loads nothing from elsewhere and may not be framed. Style sheets are constructed, never inline; uPlot and the
 * canvas need none either.
 */
export const PAGE_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const UI = new URL("ui/", import.meta.url);

/**
 * Bundles the operator page: `/` and `/main.js`. Takes about a second; done once when the coordinator starts.
 * @throws Error with esbuild's own message when a source of the page is broken
 */
export async function bundlePage(): Promise<readonly PageFile[]> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("main.ts", UI))],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    loader: { ".css": "text" },
    legalComments: "inline",
    write: false,
    logLevel: "silent",
  });
  const [script] = outputFiles;
  if (script === undefined) throw new Error("bundling the operator page gave no file");
  return [
    { path: "/", contentType: "text/html; charset=utf-8", body: await readFile(new URL("index.html", UI)) },
    { path: "/main.js", contentType: "text/javascript; charset=utf-8", body: Buffer.from(script.contents) },
  ];
}
