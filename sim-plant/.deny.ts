import { loadPlantFolder } from "../lifecycle-specs/load.ts";
import { buildBundle } from "../lifecycle-specs/bundle.ts";
import { compile } from "../lifecycle-specs/decide/tables.ts";
import { decide, commit } from "../lifecycle-specs/decide/decide.ts";
import { createHistory, observeTag } from "../lifecycle-specs/decide/history.ts";
import { DeviceId, LinkId } from "../lifecycle-specs/ids.ts";
import { runTwin } from "./twin.ts";
const l = loadPlantFolder("water-treatment"); if (!l.ok) throw new Error();
const { plant, lifecycle } = l.value;
const bundle = buildBundle(plant, lifecycle);
for (const seed of [1,2,3]) {
const r = runTwin({plant,lifecycle,seed,untilMs:1800000*2,script:"quiet-day"});
let denied=0;
for (const layer of ["switch","hmi"] as const) {
 const tables=compile(bundle,layer); const history=createHistory(tables);
 let ci=0;
 for (const c of r.commands) {
  for (const [t,v] of c.view.tags) observeTag(history,t,v,c.atMs);
  const dev = plant.tags.find(t=>t.id===c.tag)!.device;
  const link = plant.links.find(k=>k.client===c.from&&k.server===dev&&k.protocol==="modbus")!;
  const o={source:DeviceId(c.from),sourceAddress:"",target:dev,link:link.id,operation:"write" as const,message:"w",items:[{tag:c.tag,address:"",value:c.value}]};
  const v=decide(tables,{kind:"phase",position:c.position},o,history,c.atMs);
  if (v.verdict==="deny"){denied++; if(denied<10) console.log(layer,c.atMs,c.position,c.tag,c.value,v);}
  commit(history,o,v,"forwarded",c.atMs); commit(history,o,v,"answered-ok",c.atMs);
 }}
console.log(seed,"commands",r.commands.length,"denied",denied,"harm",r.harm.length, r.reports.length, new Set(r.positions.map(p=>p.position.phase)).size);
}
