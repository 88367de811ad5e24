// Seeds 1 to 3 of the hostile world.

import { liveThroughSeeds } from './seeds.ts';

liveThroughSeeds(1, 3);
