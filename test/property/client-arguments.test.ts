/**
 * Any argument to any function of the package is accepted, or refused with an error of the library, and the session
 * still works afterwards. The functions are enumerated from the module and its prototypes, so a new one cannot be forgotten.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as library from '../../index.ts';
import { argumentCases } from './support/argument-cases.ts';
import { hostileValue, MISLEADING } from './support/hostile-values.ts';
import { libraryFixture } from './support/library-fixture.ts';
import { nameOf, ownPrototypes } from './support/prototypes.ts';

const RUNS = 150;

const use = libraryFixture();
const cases = argumentCases(use);

/** Errors are made by the library; a program that makes them itself gets what it wrote. */
const ERROR_CLASSES: readonly string[] = ['SkeinError', 'ConfigError', 'AgentFailure'];
/** Of the one class that is cursor and batch at once: what the interface `Batch` does not have. */
const CURSOR_ONLY: readonly string[] = ['reset', 'release', 'next'];

function methodsOf(owner: string, object: object): readonly string[] {
  return Reflect.ownKeys(object).flatMap((key) => {
    const { value } = Object.getOwnPropertyDescriptor(object, key)!;
    return typeof value === 'function' && key !== 'constructor' ? [`${owner}.${nameOf(key)}`] : [];
  });
}

/** Also those that the class has from another class of the library. */
const methodsOfInstances = (name: string, type: { readonly prototype: object }): readonly string[] =>
  ownPrototypes(type.prototype).flatMap((prototype) => methodsOf(`${name}.prototype`, prototype));

/** Every function that a program can call. */
async function publicFunctions(): Promise<readonly string[]> {
  const names: string[] = [];
  for (const [name, value] of Object.entries(library)) {
    if (typeof value !== 'function' || ERROR_CLASSES.includes(name)) continue;
    const isClass = /^class\b/.test(Function.prototype.toString.call(value));
    if (!isClass) {
      names.push(name);
      continue;
    }
    names.push(`new ${name}`, ...methodsOf(name, value), ...methodsOfInstances(name, value as never));
  }
  names.push(...methodsOf('Target.prototype', Object.getPrototypeOf(use().target) as object));
  names.push(
    ...methodsOf('Batch', Object.getPrototypeOf(use().batch) as object).filter(
      (name) => !CURSOR_ONLY.includes(name.slice(6)),
    ),
  );
  names.push(...methodsOf('Daemon', use().daemon));
  let channel: object = {};
  await use()
    .open({
      auth: {
        name: 'NULL',
        exchange: async (given) => {
          channel = given;
        },
      },
    })
    .then((opened) => opened.close());
  const own = methodsOf('AuthChannel', Object.getPrototypeOf(channel) as object);
  names.push(...own.filter((name) => !['AuthChannel.receive', 'AuthChannel.ended'].includes(name)));
  return names;
}

it('has a case for every public function', async () => {
  const functions = [...new Set(await publicFunctions())];
  expect(functions.filter((name) => !cases.has(name))).toEqual([]);
  expect([...cases.keys()].filter((name) => !functions.includes(name))).toEqual([]);
});

describe('random values', () => {
  it.each([...cases.keys()])(
    '%s',
    async (name) => {
      const { runs = RUNS, run } = cases.get(name)!;
      await fc.assert(
        fc.asyncProperty(fc.array(hostileValue(), { minLength: 3, maxLength: 4 }), (args) =>
          run(args.map(({ make }) => make())),
        ),
        { numRuns: runs, endOnFailure: true },
      );
    },
    120_000,
  );
});

it('include every kind of misleading value', () => {
  expect(MISLEADING.length).toBeGreaterThan(60);
});
