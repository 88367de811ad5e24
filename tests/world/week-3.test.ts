// Seeds 7 to 9 of the hostile world.

import { liveThroughSeeds } from './seeds.ts';

liveThroughSeeds(7, 9);
