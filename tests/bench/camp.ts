import { liveThrough } from '../whole/campaign.ts';
const t = Date.now();
const life = await liveThrough(Number(process.argv[2] ?? 1019));
console.log(life.faults, Date.now() - t);
