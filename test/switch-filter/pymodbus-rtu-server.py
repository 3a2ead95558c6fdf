"""A Modbus server that speaks RTU over TCP (pymodbus), 32 of each table."""

import asyncio
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusTcpServer
from pymodbus.transaction import ModbusRtuFramer


async def main() -> None:
    blocks = {table: ModbusSequentialDataBlock(0, [0] * 32) for table in ("di", "co", "hr", "ir")}
    context = ModbusServerContext(slaves={1: ModbusSlaveContext(**blocks, zero_mode=True)}, single=False)
    server = ModbusTcpServer(context, framer=ModbusRtuFramer, address=(sys.argv[1], int(sys.argv[2])))
    serving = asyncio.ensure_future(server.serve_forever())
    await server.serving
    print("ready", flush=True)
    await serving


asyncio.run(main())
