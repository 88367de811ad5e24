// Seeds 11 to 15 of the hostile world.

import { liveThroughSeeds } from './seeds.ts';

liveThroughSeeds(11, 15);
