import { decodeLldpFrame, ETHER_TYPE } from "#wire/packet/index.ts";

const ETHER_TYPE_AT = 12;

/**
 * What a mirror port's own announcements prove to be missing: they say how many frames it has sent, and a difference against those that
 * came is loss between it and us. Most frames are told by two bytes to be none of them.
 */
export class MirrorLoss {
  #frames = 0;
  #announced: { readonly theirs: number; readonly ours: number } | undefined;

  /** Every frame, in order. @returns how many frames are missing before an announcement; undefined: it is none */
  frame(frame: Buffer): number | undefined {
    const lost = isLldp(frame) ? this.#announcement(frame) : undefined;
    this.#frames += 1;
    return lost;
  }

  #announcement(frame: Buffer): number | undefined {
    const decoded = decodeLldpFrame(frame);
    if (!decoded.ok) return undefined;
    const theirs = decoded.value.mirroredFrames;
    const ours = this.#frames;
    const before = this.#announced;
    this.#announced = { theirs, ours };
    return before === undefined ? 0 : Math.max(0, theirs - before.theirs - (ours - before.ours));
  }
}

function isLldp(frame: Buffer): boolean {
  return frame.length > ETHER_TYPE_AT + 1 && frame.readUInt16BE(ETHER_TYPE_AT) === ETHER_TYPE.LLDP;
}
