import { readFileSync } from "node:fs";
import { runLockstep, waterBundle } from "./sim-plant/lockstep-run.ts";
import { runTwin } from "#sim/twin.ts";
const opcua = process.argv[2]==="ua";
const untilMs = Number(process.argv[3] ?? 120000);
const t0=Date.now();
await runLockstep({instance:61,seed:3,script:"quiet-day",untilMs,runDir:"/tmp/e1-run",opcua});
console.log("run", Date.now()-t0,"ms");
const {plant,lifecycle}=waterBundle();
const twin=runTwin({plant,lifecycle,seed:3,script:"quiet-day",untilMs});
const got=readFileSync("/tmp/e1-run/plant.jsonl","utf8").trim().split("\n");
console.log(got.length,twin.log.length, got.findIndex((l,i)=>l!==twin.log[i]));
const i=got.findIndex((l,i)=>l!==twin.log[i]); if(i>=0){console.log(got[i]);console.log(twin.log[i]);}
console.log(twin.positions.map(p=>p.atMs+p.position.phase+p.position.steps).join(" "));
