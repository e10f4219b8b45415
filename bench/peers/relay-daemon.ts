/** Usage: node relay-daemon.js PORT */
import { createRelay } from './relay-server.ts';

createRelay().listen(Number(process.argv[2]), '127.0.0.1');
