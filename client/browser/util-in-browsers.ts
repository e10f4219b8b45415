/** Stands in for `node:util` where the library is bundled for browsers. */
const isA = (value: unknown, name: string): boolean => Object.prototype.toString.call(value) === `[object ${name}]`;

export const types = {
  /** Pages cannot tell; a Proxy is shown as what it stands for. */
  isProxy: (_value: unknown): boolean => false,
  isPromise: (value: unknown): boolean => isA(value, 'Promise'),
  isAnyArrayBuffer: (value: unknown): boolean => isA(value, 'ArrayBuffer') || isA(value, 'SharedArrayBuffer'),
  isDataView: (value: unknown): boolean => isA(value, 'DataView'),
  isNativeError: (value: unknown): boolean => value instanceof Error,
};
