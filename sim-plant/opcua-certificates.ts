import { OPCUACertificateManager, setErrorLogger, setWarningLogger } from "node-opcua";

/** Certificates and keys of one simulated OPC UA application, made on first use and kept in a folder of its own. */
export function opcUaCertificates(folder: string): OPCUACertificateManager {
  return new OPCUACertificateManager({
    rootFolder: folder,
    // A simulated plant has no certificate authority; who may connect is decided by address.
    automaticallyAcceptUnknownCertificate: true,
    disableFileWatchers: true,
  });
}

/** node-opcua prints to standard output by itself; a process whose output is read by programs must not. */
export function quietOpcUa(log: (says: string) => void): void {
  const print = (...parts: readonly unknown[]): void => log(`node-opcua: ${parts.map(String).join(" ")}`);
  setWarningLogger(print);
  setErrorLogger(print);
}
