// Seeds 21 to 30 of the hostile world.

import { liveThroughSeeds } from './seeds.ts';

liveThroughSeeds(21, 30);
