// Seeds 11 to 20 of the hostile world.

import { liveThroughSeeds } from './seeds.ts';

liveThroughSeeds(11, 20);
