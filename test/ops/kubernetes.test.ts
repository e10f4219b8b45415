/** The API server accepts the manifests, and they agree with the daemon that they start. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Service } from 'kubernetes-models/v1/Service';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { checkConfiguration } from './check-configuration.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A model checks types and required fields; the compiler finds unknown fields. */
const MODELS = {
  ConfigMap: { model: ConfigMap, module: 'v1/ConfigMap' },
  PodDisruptionBudget: { model: PodDisruptionBudget, module: 'policy/v1/PodDisruptionBudget' },
  Service: { model: Service, module: 'v1/Service' },
  StatefulSet: { model: StatefulSet, module: 'apps/v1/StatefulSet' },
} as const;

type Kind = keyof typeof MODELS;

interface Manifest {
  readonly kind: Kind;
}

const manifests = parseAllDocuments(readFileSync(join(ROOT, 'ops/kubernetes/skein.yaml'), 'utf8'), {
  strict: true,
}).map((document): Manifest => {
  expect(document.errors).toEqual([]);
  return document.toJS() as Manifest;
});

function manifestOf<T>(kind: Kind): T {
  return manifests.find((manifest) => manifest.kind === kind) as T;
}

const statefulSet = manifestOf<{
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [Container];
      };
    };
  };
}>('StatefulSet').spec.template.spec;

interface Container {
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly volumeMounts: readonly { readonly mountPath: string }[];
}

interface Probe {
  readonly httpGet: { readonly host: string; readonly port: number; readonly path: string };
}

const spreadConf = manifestOf<{ readonly data: Readonly<Record<string, string>> }>('ConfigMap').data['spread.conf']!;

/** @returns the compiler's complaints about the manifests as literals of the models' types */
function compile(values: readonly Manifest[]): string {
  const folder = mkdtempSync(join(ROOT, 'node_modules', '.manifests-'));
  const file = join(folder, 'manifests.ts');
  const lines = values.map((value, index) => {
    const { kind } = value;
    return `import type { I${kind} as I${kind}${index} } from 'kubernetes-models/${MODELS[kind].module}';
export const value${index}: I${kind}${index} = ${JSON.stringify(value)};`;
  });
  writeFileSync(file, lines.join('\n'));
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--ignoreConfig'];
  const resolution = ['--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, ...options, ...resolution, file], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  return stdout;
}

describe('ops/kubernetes/skein.yaml', () => {
  it.each(manifests.map((manifest) => [manifest.kind, manifest] as const))('%s fits its schema', (kind, manifest) => {
    new MODELS[kind].model(manifest as never).validate();
  });

  it('has no field unknown to Kubernetes', () => {
    expect(compile(manifests)).toBe('');
    const misspelt = { ...manifestOf<Manifest>('Service'), spec: { clusterIp: 'None' } };
    expect(compile([misspelt])).toContain('clusterIp');
  });

  it('has a configuration that the daemon accepts', () => {
    expect(checkConfiguration(spreadConf, { 'keys/cluster.keys': null }, 'node-1')).toEqual({ code: 0, said: '' });
  });

  it('probes the address and paths that the daemon serves', () => {
    const { startupProbe, livenessProbe, readinessProbe } = statefulSet.containers[0];
    const listens = /^HttpListen = (.*)$/m.exec(spreadConf)?.[1];
    for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe])
      expect(`${httpGet.host}:${httpGet.port}`).toBe(listens);
    expect(startupProbe.httpGet.path).toBe('/healthz');
    expect(livenessProbe.httpGet.path).toBe('/healthz');
    expect(readinessProbe.httpGet.path).toBe('/readyz');
  });

  it('opens the ports of the segment and mounts what the configuration names', () => {
    const port = Number(/^Spread_Segment \S+:(\d+)/m.exec(spreadConf)?.[1]);
    const { ports, volumeMounts } = statefulSet.containers[0];
    expect(ports.map(({ name, containerPort }) => [name, containerPort])).toEqual([
      ['client', port],
      ['data', port],
      ['token', port + 1],
    ]);
    const mounted = volumeMounts.map(({ mountPath }) => mountPath);
    for (const option of ['StateDir', 'ClusterKeyFile']) {
      const path = new RegExp(`^${option} = (.*)$`, 'm').exec(spreadConf)?.[1];
      expect(
        mounted.some((mount) => path?.startsWith(mount)),
        `${option} = ${path}`,
      ).toBe(true);
    }
  });
});
