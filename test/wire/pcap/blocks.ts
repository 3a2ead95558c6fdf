/** pcapng blocks by hand, from the draft's figures: a second writer to hold the reader against, in both byte orders. */
export type Order = "big-endian" | "little-endian";

export interface Option {
  readonly code: number;
  readonly value: Buffer;
}

const pad = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);

export class Blocks {
  readonly #big: boolean;

  constructor(order: Order) {
    this.#big = order === "big-endian";
  }

  /** Unsigned numbers of 16 or 32 bits (`[value, 16]`), one after the other. */
  words(...values: readonly (number | readonly [number, 16])[]): Buffer {
    const parts = values.map((value) => {
      const bytes = Buffer.alloc(typeof value === "number" ? 4 : 2);
      const number = typeof value === "number" ? value : value[0];
      if (this.#big) bytes.writeUIntBE(number, 0, bytes.length);
      else bytes.writeUIntLE(number, 0, bytes.length);
      return bytes;
    });
    return Buffer.concat(parts);
  }

  u64(value: bigint): Buffer {
    const bytes = Buffer.alloc(8);
    if (this.#big) bytes.writeBigUInt64BE(BigInt.asUintN(64, value));
    else bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
    return bytes;
  }

  options(options: readonly Option[]): Buffer {
    if (options.length === 0) return Buffer.alloc(0);
    const parts = options.map(({ code, value }) =>
      Buffer.concat([this.words([code, 16], [value.length, 16]), pad(value)]),
    );
    return Buffer.concat([...parts, this.words([0, 16], [0, 16])]);
  }

  block(type: number, ...body: readonly Buffer[]): Buffer {
    const padded = pad(Buffer.concat(body));
    const length = padded.length + 12;
    return Buffer.concat([this.words(type, length), padded, this.words(length)]);
  }

  section(options: readonly Option[] = [], minor = 0): Buffer {
    return this.block(0x0a0d0d0a, this.words(0x1a2b3c4d, [1, 16], [minor, 16]), this.u64(-1n), this.options(options));
  }

  interface(linkType = 1, snaplen = 0, options: readonly Option[] = []): Buffer {
    return this.block(1, this.words([linkType, 16], [0, 16], snaplen), this.options(options));
  }

  /** `stamp` in units of the interface. */
  enhanced(id: number, stamp: bigint, frame: Buffer, original = frame.length, options: readonly Option[] = []): Buffer {
    const time = this.words(Number(stamp >> 32n), Number(stamp & 0xffffffffn));
    return this.block(6, this.words(id), time, this.words(frame.length, original), pad(frame), this.options(options));
  }

  obsolete(id: number, drops: number, stamp: bigint, frame: Buffer): Buffer {
    const time = this.words(Number(stamp >> 32n), Number(stamp & 0xffffffffn));
    return this.block(2, this.words([id, 16], [drops, 16]), time, this.words(frame.length, frame.length), pad(frame));
  }

  simple(frame: Buffer, original = frame.length): Buffer {
    return this.block(3, this.words(original), frame);
  }

  statistics(id: number, options: readonly Option[]): Buffer {
    return this.block(5, this.words(id, 0, 0), this.options(options));
  }
}

/** Powers of ten below 128; with the top bit, powers of two. */
export const resolution = (byte: number): Option => ({ code: 9, value: Buffer.from([byte]) });
