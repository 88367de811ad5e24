// Seeds 16 to 20 of the hostile world.

import { liveThroughSeeds } from './seeds.ts';

liveThroughSeeds(16, 20);
