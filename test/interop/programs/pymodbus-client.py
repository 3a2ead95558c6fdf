"""A Modbus client (pymodbus): takes one order a line, answers each with one line."""

import logging
import sys

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.other_message import ReportSlaveIdRequest
from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
UNIT = 1
client = None


def connect(host, port, framing):
    global client
    if client is not None:
        client.close()
    framer = ModbusRtuFramer if framing == "rtu" else ModbusSocketFramer
    client = ModbusTcpClient(host, port=int(port), framer=framer, timeout=2, retries=0, retry_on_empty=False)
    return "ok" if client.connect() else "lost not connected"


def ask(order, numbers):
    first, rest = numbers[0] if numbers else 0, numbers[1:]
    if order == "read-coils":
        return client.read_coils(first, rest[0], slave=UNIT)
    if order == "read-discrete-inputs":
        return client.read_discrete_inputs(first, rest[0], slave=UNIT)
    if order == "read-holding-registers":
        return client.read_holding_registers(first, rest[0], slave=UNIT)
    if order == "read-input-registers":
        return client.read_input_registers(first, rest[0], slave=UNIT)
    if order == "write-coil":
        return client.write_coil(first, rest[0] == 1, slave=UNIT)
    if order == "write-register":
        return client.write_register(first, rest[0], slave=UNIT)
    if order == "write-coils":
        return client.write_coils(first, [bit == 1 for bit in rest], slave=UNIT)
    if order == "write-registers":
        return client.write_registers(first, rest, slave=UNIT)
    if order == "mask-register":
        return client.mask_write_register(address=first, and_mask=rest[0], or_mask=rest[1], unit=UNIT)
    if order == "read-write-registers":
        return client.readwrite_registers(
            read_address=first, read_count=rest[0], write_address=rest[1], write_registers=rest[2:], unit=UNIT
        )
    if order == "report-server-id":
        return client.execute(ReportSlaveIdRequest(unit=UNIT))
    raise ValueError(order)


def answer(order, words):
    if order == "connect":
        return connect(*words)
    numbers = [int(word) for word in words]
    try:
        result = ask(order, numbers)
    except (ModbusException, OSError) as error:
        return f"lost {error}"
    if result.isError():
        code = getattr(result, "exception_code", None)
        return f"exception {code}" if code is not None else f"lost {result}"
    if order in ("read-coils", "read-discrete-inputs"):
        return " ".join(["ok", *(str(int(bit)) for bit in result.bits[: numbers[1]])])
    if order in ("read-holding-registers", "read-input-registers", "read-write-registers"):
        return " ".join(["ok", *(str(register) for register in result.registers)])
    return "ok"


for line in sys.stdin:
    order, *words = line.split()
    print(answer(order, words).replace("\n", " "), flush=True)
