// Seeds 36 to 40 of the hostile world.

import { liveThroughSeeds } from './seeds.ts';

liveThroughSeeds(36, 40);
