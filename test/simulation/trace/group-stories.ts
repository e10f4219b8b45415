/** Good traces of process groups, from which the checker's tests go on. */
import { Story } from './story.ts';

/** Clients x at a, y at b, z at c; all asked for views. */
export const newStory = (): Story => new Story().client('x', 'a').client('y', 'b').client('z', 'c');

/** x, y and z are in red. */
export const JOINED = `
  abc R4{abc}
  a >1a#1+x:red
  abc <a1
  x view red 4:1 join x sets=x
  b >1a#2+y:red
  abc <b1
  x view red 4:2 join x+y sets=y
  y view red 4:2 join x+y sets=y
  c >1a#3+z:red
  abc <c1
  x view red 4:3 join x+y+z sets=z
  y view red 4:3 join x+y+z sets=z
  z view red 4:3 join x+y+z sets=z
`;

/** Then c crashes. */
export const LOST = `
  c crash
  ab T5{ab}
  x transition red 4:3
  y transition red 4:3
  ab R5{ab}
  x view red 5:1 network x+y sets=x+y own=0
  y view red 5:1 network x+y sets=x+y own=0
`;

export const message = (story: Story, lines: string): Story =>
  story.multicast('x', 2, ['red']).tell(`a >2a#4\nabc <a2\n${lines}`);

export const ALL_GET_IT = 'x message a2 red\ny message a2 red\nz message a2 red';
