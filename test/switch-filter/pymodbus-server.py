"""A Modbus server of another make (pymodbus) for the evasion tests: 32 of each table."""

import asyncio
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusTcpServer


async def main() -> None:
    blocks = {table: ModbusSequentialDataBlock(0, [0] * 32) for table in ("di", "co", "hr", "ir")}
    context = ModbusServerContext(slaves=ModbusSlaveContext(**blocks, zero_mode=True), single=True)
    server = ModbusTcpServer(context, address=(sys.argv[1], int(sys.argv[2])))
    serving = asyncio.ensure_future(server.serve_forever())
    await server.serving
    print("ready", flush=True)
    await serving


asyncio.run(main())
