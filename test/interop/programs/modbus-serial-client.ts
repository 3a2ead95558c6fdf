// A Modbus client (modbus-serial): takes one order a line, answers each with one line.
import modbusSerial from "modbus-serial";
import { serveLines } from "./lines.ts";

const UNIT = 1;
let client = new modbusSerial.default();

await serveLines(async (order, words) => {
  const [first = 0, second = 0, third = 0] = words.map(Number);
  try {
    switch (order) {
      case "connect":
        return await connect(words[0] ?? "", second, words[2] ?? "");
      case "read-coils":
        return bits((await client.readCoils(first, second)).data.slice(0, second));
      case "read-discrete-inputs":
        return bits((await client.readDiscreteInputs(first, second)).data.slice(0, second));
      case "read-holding-registers":
        return ok((await client.readHoldingRegisters(first, second)).data);
      case "read-input-registers":
        return ok((await client.readInputRegisters(first, second)).data);
      case "write-coil":
        await client.writeCoil(first, second === 1);
        return "ok";
      case "write-register":
        await client.writeRegister(first, second);
        return "ok";
      case "write-coils":
        await client.writeCoils(
          first,
          words.slice(1).map((word) => word === "1"),
        );
        return "ok";
      case "write-registers":
        await client.writeRegisters(first, words.slice(1).map(Number));
        return "ok";
      case "mask-register":
        await client.maskWriteRegister(first, second, third);
        return "ok";
      default:
        return "cannot";
    }
  } catch (error) {
    const { modbusCode, message } = error instanceof Error ? withCode(error) : { message: String(error) };
    return modbusCode === undefined ? `lost ${message}` : `exception ${modbusCode}`;
  }
});

function withCode(error: Error & { readonly modbusCode?: number }) {
  return error;
}

async function connect(host: string, port: number, framing: string): Promise<string> {
  if (client.isOpen) await new Promise<void>((resolve) => client.close(() => resolve()));
  client = new modbusSerial.default();
  client.on("error", () => undefined);
  // Its "telnet" port is RTU over a plain TCP connection.
  if (framing === "rtu") await client.connectTelnet(host, { port });
  else await client.connectTCP(host, { port });
  client.setTimeout(2000);
  client.setID(UNIT);
  return "ok";
}

function ok(values: readonly number[]): string {
  return ["ok", ...values].join(" ");
}

function bits(values: readonly boolean[]): string {
  return ok(values.map(Number));
}
