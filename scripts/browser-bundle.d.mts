import type { BuildOptions } from 'esbuild';

export function browserBundle(root: string): BuildOptions;
