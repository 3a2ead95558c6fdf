import type { ModbusImage } from "#point/observe/modbus-image.ts";
import type { ModbusFraming } from "#wire/modbus/index.ts";
import type { DenyActions } from "./actions.ts";

export interface ModbusSessionOptions {
  readonly framing?: ModbusFraming;
  readonly actions?: DenyActions;
  /** One for all connections to the same server. */
  readonly image?: ModbusImage;
}
