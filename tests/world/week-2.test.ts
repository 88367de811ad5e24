// Seeds 4 to 6 of the hostile world.

import { liveThroughSeeds } from './seeds.ts';

liveThroughSeeds(4, 6);
