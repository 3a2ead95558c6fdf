import { setFlagsFromString } from "node:v8";
import type { Command } from "commander";
import { CaptureDecoder, type DecodeOptions } from "#hmi-monitor/decode/capture-decoder.ts";
import { summaryLines } from "#hmi-monitor/decode/summary.ts";
import { tableRows } from "#hmi-monitor/decode/table.ts";
import { BlockOutput } from "./block-output.ts";
import { chunksOf, nameOf, Unreadable } from "./capture-chunks.ts";
import { CaptureProgress } from "./capture-progress.ts";
import { type ChecksumFlags, checksumOption, checksumsFrom } from "./checksums.ts";
import { UsageError } from "./part.ts";
import { type PortFlags, portLists, portOptions } from "./protocol-ports.ts";

interface DecodeFlags extends PortFlags, ChecksumFlags {
  readonly json?: boolean;
  readonly modbusFraming: string;
}

const FRAMINGS = ["mbap", "rtu"] as const;

/** `sekisho decode CAPTURE`: docs/decode.md. */
export function addDecodeCommand(program: Command): void {
  checksumOption(portOptions(program.command("decode")))
    .description("print every Modbus and OPC UA message of a capture (pcap or pcapng; `-` reads standard input)")
    .argument("<capture>", "a capture file, or - for standard input")
    .option("--json", "one JSON line per message; without it a table")
    .option("--modbus-framing <framing>", "how Modbus lies in TCP: mbap, or rtu", "mbap")
    .action((capture: string, flags: DecodeFlags) => decode(capture, flags));
}

/** @throws UsageError */
async function decode(capture: string, flags: DecodeFlags): Promise<void> {
  // A short life with few, hot functions: V8 shall watch each from its first call, and not from its eighth.
  setFlagsFromString("--no-lazy-feedback-allocation");
  const output = new BlockOutput(flags.json === true ? undefined : tableRows());
  const decoder = new CaptureDecoder((block) => output.take(block), optionsFrom(flags));
  const progress = new CaptureProgress(process.stderr);
  let unreadable: string | undefined;
  try {
    for await (const chunk of chunksOf(capture, (done, of) => progress.report(done, of))) {
      decoder.push(chunk);
      await output.written();
      if (decoder.failed) break;
    }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    unreadable = error.message;
  } finally {
    progress.end();
  }
  const wrong = decoder.end();
  await output.written();
  for (const line of summaryLines(decoder.counts)) process.stderr.write(`${line}\n`);
  if (unreadable !== undefined) throw new UsageError(unreadable);
  if (wrong !== undefined) throw new UsageError(`${nameOf(capture)}: ${wrong}`);
}

/** @throws UsageError */
function optionsFrom({ modbusFraming, ...flags }: DecodeFlags): DecodeOptions {
  const framing = FRAMINGS.find((name) => name === modbusFraming);
  if (framing === undefined)
    throw new UsageError(`\`${modbusFraming}\` is no framing; give --modbus-framing ${FRAMINGS.join(" or ")}`);
  const { modbus, opcua } = portLists(flags);
  return {
    ...{ modbusPorts: modbus, opcuaPorts: opcua },
    ...{ modbusFraming: framing, verifyChecksums: checksumsFrom(flags) },
  };
}
