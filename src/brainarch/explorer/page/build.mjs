// Bundle the modules into the one script of the page; its first line is the digest of the sources.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { build } from "esbuild";

const sources = readdirSync(".").filter((name) => name.endsWith(".js")).sort();
const digest = createHash("sha256");
for (const name of sources) digest.update(readFileSync(name));
await build({
  entryPoints: ["main.js"],
  outfile: process.argv[2] ?? "../explorer.js",
  bundle: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  banner: { js: `// built by make page; SHA-256 of page/*.js: ${digest.digest("hex")}` },
});
