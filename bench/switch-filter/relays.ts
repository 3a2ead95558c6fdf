import type { ChildProcess } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { buildBundle } from "#specs/bundle.ts";
import { signBundle } from "#specs/sign.ts";
import { filterPlant } from "./plant.ts";
import { freePort, type Workshop } from "./processes.ts";

export const SUBJECTS = ["direct", "socat", "haproxy", "nginx", "sekisho"] as const;
export type Subject = (typeof SUBJECTS)[number];

/** One way to the server. */
export interface Way {
  readonly subject: Subject;
  readonly port: number;
  /** undefined: nobody stands in between. */
  readonly process?: ChildProcess;
}

const RULES = 1000;
const CLI = "cli/main.ts";

/** The relays that look at nothing, each as its makers would have it: one thread or worker, TCP, no logging. */
export async function startRelays(workshop: Workshop, upstream: number): Promise<readonly Way[]> {
  const [socat, nginx] = [await freePort(), await freePort()];
  const target = `127.0.0.1:${upstream}`;
  return [
    { subject: "direct", port: upstream },
    await startSocat(workshop, socat, target),
    await startHaproxy(workshop, upstream),
    {
      subject: "nginx",
      port: nginx,
      process: await workshop.listening(
        "nginx",
        ["-c", workshop.file("nginx.conf", nginxConfig(workshop.folder, nginx, target))],
        nginx,
      ),
    },
  ];
}

/** A process for each connection, gone before its CPU time could be read: none is shown. */
async function startSocat(workshop: Workshop, port: number, target: string): Promise<Way> {
  const listen = `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork,nodelay,backlog=1024`;
  await workshop.listening("socat", [listen, `TCP:${target},nodelay`], port);
  return { subject: "socat", port };
}

export async function startHaproxy(workshop: Workshop, upstream: number): Promise<Way> {
  const port = await freePort();
  const config = workshop.file(`haproxy-${port}.cfg`, haproxyConfig(port, `127.0.0.1:${upstream}`));
  return { subject: "haproxy", port, process: await workshop.listening("haproxy", ["-db", "-f", config], port) };
}

/** Our own, with rules in force and every receipt written. */
export async function startFilter(
  workshop: Workshop,
  link: string,
  upstream: number,
  options: readonly string[] = [],
): Promise<Way & { readonly log: string; readonly process: ChildProcess }> {
  const { plant, lifecycle } = filterPlant(RULES);
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const bundle = signBundle(buildBundle(plant, lifecycle), privateKey.export({ format: "jwk" }));
  const port = await freePort();
  const log = workshop.file(`${link}-${port}.log`, "");
  const args = [
    ...["switch-filter", "--bundle", workshop.file("plant.bundle", bundle)],
    ...["--trust", workshop.file("trust.jwk", JSON.stringify(publicKey.export({ format: "jwk" })))],
    ...["--link", link, "--listen", `127.0.0.1:${port}`, "--upstream", `127.0.0.1:${upstream}`],
    ...["--phase", "phase-0", "--standalone", "--log", log, ...options],
  ];
  const process = await workshop.listening(globalThis.process.execPath, [CLI, ...args], port);
  return { subject: "sekisho", port, process, log };
}

function haproxyConfig(port: number, target: string): string {
  return `global
  nbthread 1
  maxconn 8192
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen relay
  bind 127.0.0.1:${port}
  server plc ${target}
`;
}

function nginxConfig(folder: string, port: number, target: string): string {
  return `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log;
events { worker_connections 8192; }
stream {
  server {
    listen 127.0.0.1:${port} backlog=1024;
    proxy_pass ${target};
    tcp_nodelay on;
  }
}
`;
}
