import { createServer, type Server } from "node:net";
import { Aedes } from "aedes";
import { topic } from "#point/bus.ts";

const POINT = "switch-filter";

/** A broker that says what a coordinator would, step by step, to one filter in zone `works`. */
export class Leader {
  readonly url: string;
  readonly #aedes: Aedes;
  readonly #server: Server;
  #epoch = 0;

  private constructor(aedes: Aedes, server: Server, port: number) {
    this.#aedes = aedes;
    this.#server = server;
    this.url = `mqtt://127.0.0.1:${port}`;
  }

  static async open(port: number): Promise<Leader> {
    const aedes = await Aedes.createBroker();
    const server = createServer(aedes.handle);
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return new Leader(aedes, server, port);
  }

  /** Where the zone stands, for whoever joins. */
  stand(phase: string, steps: readonly string[] = []): void {
    this.#epoch += 1;
    this.#say(topic.position("works"), { phase, steps, epoch: this.#epoch }, true);
  }

  /** A whole planned change: resolves when the filter has taken it. */
  async change(from: string, to: string, steps: readonly string[] = []): Promise<void> {
    this.#epoch += 1;
    const change = { change: `c-${this.#epoch}`, epoch: this.#epoch, to, steps };
    const orders = [
      { ...change, order: "prepare", from, window: [] },
      { ...change, order: "window", layer: "switch" },
      { ...change, order: "take", layer: "switch" },
    ];
    for (const order of orders) {
      const answered = this.#answer(order.order);
      this.#say(topic.order("works"), order, false);
      await answered;
    }
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#aedes.close(() => resolve()));
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #say(to: string, message: object, retain: boolean): void {
    const payload = JSON.stringify({ zone: "works", atMs: Date.now(), ...message });
    this.#aedes.publish({ cmd: "publish", qos: 0, dup: false, retain, topic: to, payload }, () => undefined);
  }

  #answer(order: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (packet: { readonly topic: string; readonly payload: string | Buffer }): void => {
        if (packet.topic !== topic.answer(POINT)) return;
        const answer = JSON.parse(packet.payload.toString());
        if (answer.order !== order) return;
        this.#aedes.off("publish", look);
        if (answer.agreed === true) resolve();
        else reject(new Error(String(answer.says)));
      };
      this.#aedes.on("publish", look);
    });
  }
}
