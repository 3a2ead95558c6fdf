/** One command of the scripted session: its PDU, and the registers it writes with their words. */
export interface ScriptedCommand {
  readonly pdu: Buffer;
  readonly writes: readonly { readonly register: number; readonly word: number }[];
}

/** Function 6, 16 over two registers, and 23, in turns. The words tell connection and command apart. */
export function scripted(connection: number, command: number): ScriptedCommand {
  const word = (connection * 16_000 + command) & 0xffff;
  switch (command % 3) {
    case 0:
      return { pdu: words([6], 2, word), writes: [{ register: 2, word }] };
    case 1:
      return {
        pdu: Buffer.concat([words([16], 1, 2), Buffer.from([4]), words([], word, 7)]),
        writes: [
          { register: 1, word },
          { register: 2, word: 7 },
        ],
      };
    default:
      return {
        pdu: Buffer.concat([words([23], 0, 3), words([], 0, 1), Buffer.from([2]), words([], word)]),
        writes: [{ register: 0, word }],
      };
  }
}

function words(head: readonly number[], ...values: readonly number[]): Buffer {
  return Buffer.from([...head, ...values.flatMap((value) => [value >>> 8, value & 0xff])]);
}
