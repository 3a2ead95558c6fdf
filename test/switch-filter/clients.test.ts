import { CLIENT_MAKES } from "./clients.ts";
import { describeClients } from "./clients-table.ts";
import { RTU_SERVER, SERVER_MAKES } from "./servers.ts";

// Real Modbus clients work through the filter unchanged. jsmodbus: test/interop.
for (const [at, server] of SERVER_MAKES.entries()) describeClients(CLIENT_MAKES, server, "mbap", 31 + at);
describeClients(CLIENT_MAKES, RTU_SERVER, "rtu", 41);
