/** Builds what is needed, then runs the example. */
import { buildExample } from '../build-example.mjs';

const programs = ['feed', 'publisher', 'counter', 'archive', 'late-joiner'];
const paths = Object.fromEntries(programs.map((name) => [name, `event-feed/${name}.ts`]));
const folder = await buildExample('event-feed', paths, 'dist/index.js');
await import(`${folder}/feed.js`);
