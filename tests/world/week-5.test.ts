// Seeds 21 to 25 of the hostile world.

import { liveThroughSeeds } from './seeds.ts';

liveThroughSeeds(21, 25);
