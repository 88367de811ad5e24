// Seeds 31 to 35 of the hostile world.

import { liveThroughSeeds } from './seeds.ts';

liveThroughSeeds(31, 35);
