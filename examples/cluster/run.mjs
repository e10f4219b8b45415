/** Builds what is needed, then runs the example. */
import { buildExample } from '../build-example.mjs';

const folder = await buildExample('cluster', { cluster: 'cluster/cluster.ts' }, 'dist/cli.js');
await import(`${folder}/cluster.js`);
