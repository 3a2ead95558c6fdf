import { CELLS, FIXED, LIMIT, LIMITED_END, LIMITED_START, RANGE } from "./modbus-open-plant.ts";

/**
 * A server that checks nothing: it takes the fields where they would be and does what it can with them. What it does is what the
 * most tolerant of real servers could do.
 */
export class CarelessServer {
  readonly coils = new Map<number, number>();
  readonly holding = new Map<number, number>();
  /** What the last request has written, in the words of an observation. */
  written: string[] = [];

  /** Does what the PDU says, and answers as a careful server would where the request is one. */
  execute(unit: number, pdu: Buffer): Buffer {
    this.written = [];
    const word = (at: number): number => (at + 2 <= pdu.length ? pdu.readUInt16BE(at) : 0);
    const code = pdu[0] ?? 0;
    const [first, second] = [word(1), word(3)];
    switch (code) {
      case 1:
      case 2:
        return this.#bits(code, first, second);
      case 3:
      case 4:
        return this.#words(code, code === 3 ? first : -1, second);
      case 5:
        this.#coil(unit, first, second !== 0);
        return pdu;
      case 6:
        this.#register(unit, first, second);
        return pdu;
      case 15:
        for (let i = 0; i < second && 6 + (i >> 3) < pdu.length; i += 1)
          this.#coil(unit, first + i, (((pdu[6 + (i >> 3)] ?? 0) >> (i & 7)) & 1) === 1);
        return pdu.subarray(0, 5);
      case 16:
        for (let i = 0; i < second && 6 + 2 * i + 2 <= pdu.length; i += 1)
          this.#register(unit, first + i, word(6 + 2 * i));
        return pdu.subarray(0, 5);
      case 22:
        this.#register(unit, first, ((this.holding.get(first) ?? 0) & second) | (word(5) & ~second & 0xffff));
        return pdu;
      case 23:
        for (let i = 0; i < word(7) && 10 + 2 * i + 2 <= pdu.length; i += 1)
          this.#register(unit, word(5) + i, word(10 + 2 * i));
        return this.#words(code, first, second);
      case FIXED:
      case RANGE:
        return pdu.length === 3 ? pdu : Buffer.from([code, 0, 0]);
      default:
        return Buffer.from([code | 0x80, 1]);
    }
  }

  /** The bound that a rule sets, seen in the server itself. */
  get broken(): string | undefined {
    for (let at = LIMITED_START; at < LIMITED_END; at += 1) {
      if ((this.holding.get(at) ?? 0) > LIMIT) return `holding register ${at} holds ${this.holding.get(at)}`;
    }
    return undefined;
  }

  #coil(unit: number, at: number, on: boolean): void {
    this.coils.set(at & 0xffff, on ? 1 : 0);
    this.written.push(`unit ${unit} coil ${at} = ${on ? 1 : 0}`);
  }

  #register(unit: number, at: number, value: number): void {
    this.holding.set(at & 0xffff, value);
    this.written.push(`unit ${unit} holding register ${at} = ${value}`);
  }

  #bits(code: number, at: number, quantity: number): Buffer {
    const answer = Buffer.alloc(2 + Math.ceil(quantity / 8));
    answer.writeUInt8(code, 0);
    answer.writeUInt8(answer.length - 2, 1);
    for (let i = 0; i < quantity && code === 1; i += 1) {
      const place = 2 + (i >> 3);
      answer[place] = (answer[place] ?? 0) | ((this.coils.get(at + i) ?? 0) << (i & 7));
    }
    return answer;
  }

  /** @param at below 0: a table that stays zero */
  #words(code: number, at: number, quantity: number): Buffer {
    const answer = Buffer.alloc(2 + 2 * Math.min(quantity, 125));
    answer.writeUInt8(code, 0);
    answer.writeUInt8(answer.length - 2, 1);
    for (let i = 0; at >= 0 && i < quantity && i < 125; i += 1) {
      answer.writeUInt16BE(at + i < CELLS ? (this.holding.get(at + i) ?? 0) : 0, 2 + 2 * i);
    }
    return answer;
  }
}
