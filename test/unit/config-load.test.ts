import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadConfiguration, loadOptions } from '../../daemon/options-load.ts';
import { ConfigError } from '../../engine/config/config-error.ts';
import { allHosts } from '../../engine/config/daemon-configuration.ts';

const fixturePath = (name: string): string => fileURLToPath(new URL(`../fixtures/conf/${name}`, import.meta.url));

describe('loading a configuration', () => {
  it('finds the own entry by the addresses of this machine', async () => {
    const { self, configuration, source } = await loadOptions({ configFile: fixturePath('single.conf') });
    expect(self.name).toBe('localhost');
    expect(configuration.options.logLevel).toBe('warn');
    expect(source!.name).toMatch(/single\.conf$/);
  });

  it('checks a file of other machines', async () => {
    const { configuration, warnings } = await loadConfiguration({ configFile: fixturePath('three-sites.conf') });
    expect(allHosts(configuration.segments)).toHaveLength(7);
    expect(warnings.map(({ field }) => field)).toEqual(['RouteMatrix']);
    await expect(loadOptions({ configFile: fixturePath('three-sites.conf') })).resolves.toMatchObject({
      self: { name: 'lab' },
    });
  });

  it('looks up names without an address', async () => {
    const { configuration } = await loadConfiguration({ configText: 'Spread_Segment 127.0.0.255 { localhost }' });
    expect(configuration.segments[0]!.hosts[0]).toMatchObject({ name: 'localhost', address: '127.0.0.1' });
    // An empty label is refused without asking a name server.
    await expect(loadConfiguration({ configText: 'Spread_Segment 127.0.0.255 { no..host }' })).rejects.toThrow(
      'configText:1:30: "no..host" has no IPv4 address that could be looked up',
    );
  });

  it('names the file that cannot be read, and the reason', async () => {
    const missing = loadOptions({ configFile: '/nonexistent/spread.conf' });
    await expect(missing).rejects.toThrow(ConfigError);
    await expect(missing).rejects.toThrow(
      /^the configuration file cannot be used: \/nonexistent\/spread\.conf: cannot be read: ENOENT: no such file or directory$/,
    );
  });

  it('lets the schema refuse values of a wrong type', async () => {
    const options = { configText: 5 } as unknown as { configText: string };
    await expect(loadOptions(options)).rejects.toThrow('configText is 5; it must be the text of a configuration');
  });
});
