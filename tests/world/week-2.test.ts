// Seeds 6 to 10 of the hostile world.

import { liveThroughSeeds } from './seeds.ts';

liveThroughSeeds(6, 10);
