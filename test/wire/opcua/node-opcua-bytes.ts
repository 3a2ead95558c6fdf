/** Bytes made by node-opcua's own encoders, to hold ours against. */
import { BinaryStream, type ExtensionObject, encodeNodeId } from "node-opcua";

/** Largest message that the tests encode, in bytes. */
const STREAM_BYTES = 262_144;

/** What node-opcua writes through `write`. */
export function bytesOf(write: (stream: BinaryStream) => void): Buffer {
  const stream = new BinaryStream(STREAM_BYTES);
  write(stream);
  return Buffer.from(stream.buffer.subarray(0, stream.length));
}

/** Body of a service message: encoding id and fields. */
export function bodyOf(message: ExtensionObject): Buffer {
  return bytesOf((stream) => {
    encodeNodeId(message.schema.encodingDefaultBinary ?? message.schema.dataTypeNodeId, stream);
    message.encode(stream);
  });
}
