import type { Socket } from "node:net";
import { encodeFrame, MbapFramer, type TransactionId, transactionId, type UnitId, unitId } from "#wire/modbus/index.ts";
import { dialFrom, type Source } from "../access-switch/dial-from.ts";
import type { Endpoint } from "../address-plan.ts";

/** What came of one request, in words for the log, with the reply where there was one. */
export interface ModbusAnswer {
  /** `ok`, `exception 2`, `closed`, `no answer`, or why no connection was had. */
  readonly says: string;
  readonly pdu?: Buffer;
}

const EXCEPTION_BIT = 0x80;
const ANSWER_TIMEOUT_MS = 1500;

/** A Modbus master of an attacker: one request at a time over one connection, which it opens anew whenever it is thrown out. */
export class ModbusMaster {
  readonly #target: Endpoint;
  readonly #source: Source;
  #socket: Socket | undefined;
  #transaction = 0;

  constructor(target: Endpoint, source: Source) {
    this.#target = target;
    this.#source = source;
  }

  async request(unit: number, pdu: Buffer): Promise<ModbusAnswer> {
    try {
      this.#socket ??= await this.#dial();
    } catch (error) {
      return { says: error instanceof Error ? error.message : String(error) };
    }
    this.#transaction = (this.#transaction + 1) % 0x1_0000;
    return this.#exchange(this.#socket, unitId(unit), transactionId(this.#transaction), pdu);
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  async #dial(): Promise<Socket> {
    const socket = await dialFrom(this.#target, this.#source);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (this.#socket === socket) this.#socket = undefined;
    });
    // A server that ends its half has thrown us out.
    socket.on("end", () => socket.destroy());
    return socket;
  }

  #exchange(socket: Socket, unit: UnitId, transaction: TransactionId, pdu: Buffer): Promise<ModbusAnswer> {
    return new Promise((resolve) => {
      const framer = new MbapFramer();
      const timer = setTimeout(() => finish({ says: "no answer" }, true), ANSWER_TIMEOUT_MS);
      const onClose = (): void => finish({ says: "closed" }, false);
      const onData = (chunk: Buffer): void => {
        const reply = framer.push(chunk).find((frame) => frame.transactionId === transaction);
        if (reply !== undefined) finish({ says: says(reply.pdu), pdu: reply.pdu }, false);
        else if (framer.state.kind === "failed") finish({ says: "an answer that is no Modbus" }, true);
      };
      const finish = (answer: ModbusAnswer, drop: boolean): void => {
        clearTimeout(timer);
        socket.off("data", onData);
        socket.off("close", onClose);
        if (drop) socket.destroy();
        resolve(answer);
      };
      socket.on("data", onData);
      socket.on("close", onClose);
      if (socket.destroyed) finish({ says: "closed" }, false);
      else socket.write(encodeFrame({ transactionId: transaction, unitId: unit }, pdu));
    });
  }
}

function says(pdu: Buffer): string {
  const code = pdu.readUInt8(0);
  return code < EXCEPTION_BIT ? "ok" : `exception ${pdu.length > 1 ? pdu.readUInt8(1) : "without a code"}`;
}
