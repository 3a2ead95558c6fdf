import { loadPlantFolder } from "../lifecycle-specs/load.ts";
import { TagId } from "../lifecycle-specs/ids.ts";
import { runTwin } from "./twin.ts";
const l = loadPlantFolder("water-treatment"); if (!l.ok) throw new Error();
const { plant, lifecycle } = l.value;
const T=(o:Record<string,number>)=>Object.entries(o).map(([k,v])=>[TagId(k),v] as const);
const each=(o:Record<string,number>)=>(w:ReadonlyMap<TagId,number>,at:number)=>at%1000===500?new Map([...w,...T(o)]):w;
const mitm=(tag:string,f:number,max:number)=>(w:ReadonlyMap<TagId,number>)=>new Map([...w].map(([t,v])=>[t,t===tag?Math.min(max,v*f):v] as const));
const A:Record<string,any>={
 dose6:each({"DOS201.SP":6}),dose95:each({"DOS201.SP":9.5}),
 rogue50:each({AUTO101:0,"MV101.CMD":0,"FIC101.SP":50,"DOS201.SP":8}),rogue60:each({AUTO101:0,"MV101.CMD":0,"FIC101.SP":60,"DOS201.SP":8}),
 dry50:each({AUTO101:0,"MV101.CMD":0,"FIC101.SP":50}),dry60:each({AUTO101:0,"MV101.CMD":0,"FIC101.SP":60}),
 mitmF17:mitm("FIC101.SP",1.7,60),mitmF195:mitm("FIC101.SP",1.95,60),mitmD3:mitm("DOS201.SP",3,10),mitmD45:mitm("DOS201.SP",4.5,10),
 drain:each({"V301.CMD":1}),dist0:each({"FIC401.SP":0}),
};
for (const [n,f] of Object.entries(A)) { const out:string[]=[];
 for (const seed of [1,2,3,4]) for (const start of [200000, 230000, 290000, 330000]) {
  const r = runTwin({plant,lifecycle,seed,untilMs:start+150000,script:"produce",path:(at,w)=>at>=start?f(w,at):w});
  const h=r.harm[0]; out.push(h? ((h.atMs-start)/1000).toFixed(0)+h.kind[1]+h.tag[0]:"-");
 }
 console.log(n.padEnd(9), out.join(" "));
}
