/** Entry point of a load thread. piscina calls the default export with one task per run. */
import type { LoadTask, ReceiveResult, SendResult } from './load-task.ts';
import { receive } from './receiver.ts';
import { send } from './sender.ts';

export default (task: LoadTask): Promise<ReceiveResult | SendResult> =>
  task.role === 'send' ? send(task) : receive(task);
