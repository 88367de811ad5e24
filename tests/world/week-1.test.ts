// Seeds 1 to 10 of the hostile world.

import { liveThroughSeeds } from './seeds.ts';

liveThroughSeeds(1, 10);
