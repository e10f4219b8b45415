/** Entry point of a driver thread; piscina calls the default export with one task for the length of a run. */
import type { DriverTask } from '../messages.ts';
import { Driver } from './driver.ts';

export default (task: DriverTask): Promise<void> => new Driver(task).run();
