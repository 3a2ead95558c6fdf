/** Characters as bytes. */

export const COMMA = 0x2c;
export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const ZERO = 0x30;
export const MINUS = 0x2d;
export const POINT = 0x2e;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const FIRST_PRINTABLE = 0x20;
export const LAST_ASCII = 0x7e;

/** ASCII text as bytes, to be written again and again. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}
