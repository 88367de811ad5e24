// Seeds 26 to 30 of the hostile world.

import { liveThroughSeeds } from './seeds.ts';

liveThroughSeeds(26, 30);
