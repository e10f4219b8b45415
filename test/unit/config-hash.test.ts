import { describe, expect, it } from 'vitest';
import { buildSegments } from '../../engine/config/build-segments.ts';
import { Findings } from '../../engine/config/config-error.ts';
import { clusterHash, configHash, hash32, hashedText } from '../../engine/config/config-hash.ts';
import type { OptionValues } from '../../engine/config/configuration-options.ts';
import type { DaemonConfiguration } from '../../engine/config/daemon-configuration.ts';
import { completeOptions } from '../../engine/config/option-rules.ts';
import { parseConfig } from '../../engine/config/parse-config.ts';

const configuration = (text: string, values: OptionValues = {}): DaemonConfiguration => ({
  segments: buildSegments(parseConfig(text, 'test.conf'), () => null, new Findings()),
  options: completeOptions(values),
});

const ONE_DAEMON = 'Spread_Segment 127.0.0.255:4893 { localhost 127.0.0.1 }';

describe('configuration hash (section 9.5)', () => {
  it('has the verified value', () => {
    const text = 'Segment 127.0.0.255:4893 localhost 127.0.0.1 ANY D C M 127.0.0.1 \nVersion: 4.4\n0';
    expect(hashedText(configuration(ONE_DAEMON))).toBe(text);
    expect(hash32(text)).toBe(2_562_980_932);
    expect(configHash(configuration(ONE_DAEMON))).toBe(2_562_980_932);
  });

  it('covers segments, hosts, interfaces with their uses, and acceleration', () => {
    const text = `Spread_Segment 224.1.1.1 { a 10.0.0.1 { M C 10.0.0.1 D 10.1.0.1 10.2.0.1 } b 10.0.0.2 }
                  Spread_Segment 225.1.1.1:7000 { c 10.0.1.1 }`;
    expect(hashedText(configuration(text, { acceleratedRing: true }))).toBe(
      'Segment 224.1.1.1:4803 a 10.0.0.1 C M 10.0.0.1 D 10.1.0.1 D C M 10.2.0.1 b 10.0.0.2 ANY D C M 10.0.0.2 \n' +
        'Segment 225.1.1.1:7000 c 10.0.1.1 ANY D C M 10.0.1.1 \n' +
        'Version: 4.4\n1',
    );
  });

  it('does not depend on other options, and on acceleration only when it is asked for', () => {
    const plain = configHash(configuration(ONE_DAEMON));
    expect(configHash(configuration(ONE_DAEMON, { window: 99, acceleratedRing: false }))).toBe(plain);
    expect(configHash(configuration(ONE_DAEMON, { acceleratedRing: true }))).not.toBe(plain);
  });
});

describe('cluster hash', () => {
  it('is 16 bytes with four different lanes', () => {
    const hash = clusterHash(configuration(ONE_DAEMON));
    expect(hash).toHaveLength(16);
    expect(new Set(new Uint32Array(hash.buffer)).size).toBe(4);
  });

  it('differs as soon as a name, an address or a port differs', () => {
    const variants = [
      ONE_DAEMON,
      ONE_DAEMON.replace('4893', '4895'),
      ONE_DAEMON.replace('localhost', 'localhosu'),
      ONE_DAEMON.replace('0.1 ', '0.2 '),
    ];
    const hashes = variants.map((text) => clusterHash(configuration(text)).join());
    expect(new Set(hashes).size).toBe(variants.length);
    expect(clusterHash(configuration(`# ${ONE_DAEMON}\n${ONE_DAEMON}`)).join()).toBe(hashes[0]);
  });
});
