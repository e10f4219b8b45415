/** Builds what is needed, then runs the example. */
import { fileURLToPath } from 'node:url';
import { buildExample } from '../build-example.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const programs = { wall: 'live-wall/wall.ts', publisher: 'event-feed/publisher.ts' };
const folder = await buildExample('live-wall', programs, 'dist/browser.js');
process.env.SKEIN_WALL_PAGE = here('page.html');
process.env.SKEIN_WALL_LIBRARY = here('../../dist/browser.js');
await import(`${folder}/wall.js`);
