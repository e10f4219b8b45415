/** Values that plain JavaScript can pass as any argument: every type, and deliberately misleading objects. */
import fc from 'fast-check';

const thrower = (): never => {
  throw new Error('a getter of the program');
};

const detached = (): Uint8Array => {
  const bytes = new Uint8Array(16);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
};

function resizable(lengthBytes: number, cutTo: number | null): Uint8Array {
  const Growing = ArrayBuffer as unknown as new (
    length: number,
    options: object,
  ) => ArrayBuffer & { resize(to: number): void };
  const buffer = new Growing(lengthBytes, { maxByteLength: 64 });
  const view = new Uint8Array(buffer, 4);
  if (cutTo !== null) buffer.resize(cutTo);
  return view;
}

/** A different value at every read. */
const changing = (...values: readonly unknown[]): object => {
  let look = 0;
  const next = (): unknown => values[look++ % values.length];
  return {
    get service() {
      return next();
    },
    get type() {
      return next();
    },
    get 0() {
      return next();
    },
    get length() {
      return next();
    },
    get drainTimeoutMs() {
      return next();
    },
    get host() {
      return next();
    },
  };
};

const revoked = (target: object): object => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};

const trapping = (target: object): object =>
  new Proxy(target, {
    get: thrower,
    has: thrower,
    ownKeys: thrower,
    getPrototypeOf: thrower,
    getOwnPropertyDescriptor: thrower,
  });

function lyingBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(8);
  Object.defineProperty(bytes, 'length', { value: length });
  Object.defineProperty(bytes, 'byteLength', { value: length });
  return bytes;
}

class OwnBytes extends Uint8Array {
  override get length(): number {
    return 1_000_000;
  }
  static get [Symbol.species](): never {
    return thrower();
  }
}

const MISLEADING: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => Number.NaN,
  () => -0,
  () => 2 ** 53,
  () => Number.POSITIVE_INFINITY,
  () => 10n ** 40n,
  () => Symbol('s'),
  () => thrower,
  () => class {},
  () => async () => thrower(),
  () => Promise.resolve('late'),
  () => new Date(Number.NaN),
  () => /x/,
  () => new Map([['a', 1]]),
  () => new Set(['room']),
  () => new String('room'),
  () => Object(1n),
  () => new Error('an error as a value'),
  () => '\ud800',
  () => 'a\0b',
  () => 'x'.repeat(1_000_000),
  () => '#nobody#nowhere',
  () => [1, 2, 3],
  () => ['room', 'room', 5],
  () => [[['deep']]],
  () => [null, undefined],
  () => new Array(10),
  () => new Array(2 ** 32 - 1),
  () => Array.from({ length: 200 }, () => 'room'),
  () => new Uint16Array([1, 2, 3]),
  () => new Float64Array(3),
  () => new BigInt64Array(2),
  () => new DataView(new ArrayBuffer(10), 2, 5),
  () => new ArrayBuffer(7),
  () => new SharedArrayBuffer(7),
  () => new Uint8Array(new SharedArrayBuffer(5)),
  () => Buffer.alloc(200_000),
  () => new Uint8Array(20_000),
  () => detached(),
  () => [detached()],
  () => detached().buffer,
  () => new DataView(resizable(16, null).buffer),
  () => resizable(16, null),
  () => resizable(16, 2),
  () => lyingBytes(2 ** 31),
  () => lyingBytes(-1),
  () => [lyingBytes(3)],
  () => new OwnBytes(8),
  () => [new OwnBytes(8)],
  () => Object.create(Uint8Array.prototype),
  () => Object.create(Array.prototype, { length: { value: 1 } }),
  () => ({ length: 1, 0: 'room' }),
  () => new Proxy(new Uint8Array(4), {}),
  () => new Proxy(['room'], {}),
  () => new Proxy(['room'], { get: (_, key) => (key === 'length' ? 2 ** 40 : 'room') }),
  () => trapping({}),
  () => trapping([]),
  () => trapping(new Uint8Array(4)),
  () => revoked({}),
  () => revoked([]),
  () => revoked(thrower),
  () => Object.defineProperty({}, 'service', { get: thrower, enumerable: true }),
  () => Object.defineProperty({}, 'unknown', { get: thrower, enumerable: true }),
  () => Object.defineProperty(['room'], 0, { get: thrower, enumerable: true }),
  () => changing('agreed', 'nonsense', 5),
  () => changing(1, 70_000, {}),
  () => ({ service: 'agreed', type: 5, selfDiscard: 'yes' }),
  () => ({ services: 'agreed' }),
  () => ({ service: { toString: () => 'agreed' } }),
  () => ({ type: { valueOf: thrower } }),
  () => ({ toString: thrower, valueOf: thrower, toJSON: thrower, [Symbol.toPrimitive]: thrower }),
  () => ({
    get [Symbol.toStringTag]() {
      return thrower();
    },
  }),
  () => Object.freeze(Object.create(null)),
  () => globalThis,
];

/** A value to be made when it is passed: the test's own tools must not look at it. */
export interface Hostile {
  readonly make: () => unknown;
}

/** Values are made anew for each use, since many of them change when they are looked at. */
export const hostileValue = (): fc.Arbitrary<Hostile> =>
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.nat({ max: MISLEADING.length - 1 }).map((which) => ({ which, make: MISLEADING[which]! })),
    },
    {
      weight: 2,
      arbitrary: fc
        .anything({
          withBigInt: true,
          withBoxedValues: true,
          withDate: true,
          withMap: true,
          withNullPrototype: true,
          withSet: true,
          withSparseArray: true,
          withTypedArray: true,
        })
        .map((value) => ({ value, make: () => value })),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom<unknown>('room', 'data', 0, 5, true, {}, [], ['room'])
        .map((value) => ({ value, make: () => value })),
    },
  );

export { MISLEADING };
