/** What a station was told about one write. `code`: Modbus exception code, or OPC UA StatusCode. */
export type WriteResult =
  | { readonly result: "ok" }
  | { readonly result: "exception"; readonly code: number }
  | { readonly result: "error"; readonly says: string };
