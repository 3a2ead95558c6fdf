#!/usr/bin/env node
// The `sekisho` command: plain JavaScript, so that any Node from 18 on can start it and find a newer one for the product.
import { launch } from "../scripts/launcher.mjs";

await launch("cli/main.ts", process.argv.slice(2));
