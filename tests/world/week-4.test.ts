// Seeds 31 to 40 of the hostile world.

import { liveThroughSeeds } from './seeds.ts';

liveThroughSeeds(31, 40);
