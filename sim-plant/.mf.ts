import { loadPlantFolder } from "../lifecycle-specs/load.ts";
import { TagId } from "../lifecycle-specs/ids.ts";
import { runTwin } from "./twin.ts";
const l = loadPlantFolder("water-treatment"); if (!l.ok) throw new Error();
const { plant, lifecycle } = l.value;
const start=200000;
const r = runTwin({plant,lifecycle,seed:1,untilMs:start+150000,script:"produce",path:(at,w)=>at<start?w:new Map([...w].map(([t,v])=>[t,t==="FIC101.SP"?Math.min(60,v*1.8):v] as const))});
for (const line of r.log.slice(400).filter((_,i)=>i%10===0)) { const o=JSON.parse(line); console.log(o.record.atMs/1000,o.record.level101,o.record.level401,o.inputs.FIT101.toFixed(1),o.inputs.FIT401.toFixed(1),o.inputs.PDT301.toFixed(1),o.outputs["P301.OUT"],o.outputs["V301.OUT"]);}
for (const c of r.commands.filter(c=>c.atMs>start-20000)) console.log(c.atMs,c.tag,c.value.toFixed(2));
