// Seeds 1 to 5 of the hostile world.

import { liveThroughSeeds } from './seeds.ts';

liveThroughSeeds(1, 5);
