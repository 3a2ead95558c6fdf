import "./elements/sekisho-page.ts";
import { theme } from "./theme.ts";

const sheet = theme.styleSheet;
if (sheet !== undefined) document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
