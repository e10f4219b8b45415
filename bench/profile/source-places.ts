/** Maps places in built files to the sources by their source maps. */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Locate } from './cpu-profile.ts';

function readMap(file: string): SourceMap | null {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
  } catch {
    return null;
  }
}

/** @param root folder that the printed paths are relative to */
export function sourcePlaces(root: string): Locate {
  const maps = new Map<string, SourceMap | null>();
  return (url, line, column) => {
    if (!url.startsWith('file://')) return `${url}:${line + 1}`;
    const file = fileURLToPath(url);
    const map = maps.get(file) ?? readMap(file);
    maps.set(file, map);
    const entry = map?.findEntry(line, column);
    if (entry === undefined || !('originalSource' in entry)) return `${relative(root, file)}:${line + 1}`;
    return `${relative(root, resolve(file, '..', entry.originalSource))}:${entry.originalLine + 1}`;
  };
}
