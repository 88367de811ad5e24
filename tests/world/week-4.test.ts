// Seeds 10 to 12 of the hostile world.

import { liveThroughSeeds } from './seeds.ts';

liveThroughSeeds(10, 12);
