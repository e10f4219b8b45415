import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { byteCount, daemonOption, duration, groupNames, integer, targetNames } from '../../cli/arguments.ts';

describe('numbers', () => {
  it('accepts integers within the limits, and names the limits in errors', () => {
    const port = integer(0, 65_535);
    expect(port('0')).toBe(0);
    expect(port('65535')).toBe(65_535);
    for (const text of ['65536', '-1', '1.5', '1e3', '', 'x', '0x10']) {
      expect(() => port(text)).toThrow('It must be an integer from 0 to 65535.');
    }
  });

  it('reads bytes with a suffix', () => {
    const size = byteCount(16, 200_000);
    expect([size('16'), size('4K'), size('100k')]).toEqual([16, 4096, 102_400]);
    for (const text of ['15', '1M', '4 K', 'K', '-16']) expect(() => size(text)).toThrow(InvalidArgumentError);
  });

  it('reads times, in seconds without a unit', () => {
    expect([duration('10'), duration('1.5s'), duration('500ms'), duration('2m'), duration('1h')]).toEqual([
      10_000, 1500, 500, 120_000, 3_600_000,
    ]);
    for (const text of ['0', '-1s', '1d', 's', '10000h']) expect(() => duration(text)).toThrow(InvalidArgumentError);
  });
});

describe('names', () => {
  it('collects groups and refuses illegal group names', () => {
    expect(groupNames('b', groupNames('a'))).toEqual(['a', 'b']);
    expect(() => groupNames('a b')).toThrow('group "a b"');
    expect(() => groupNames('#alice#localhost')).toThrow(InvalidArgumentError);
  });

  it('accepts private names as targets', () => {
    expect(targetNames('#alice#localhost')).toEqual(['#alice#localhost']);
    expect(() => targetNames('#alice')).toThrow('#user#daemon');
  });
});

describe('options of the daemon', () => {
  it('convert numbers, booleans, lists and none to their types', () => {
    const texts = [
      'maxSessions=100',
      'timeScale=0.5',
      'volatile=yes',
      'dangerousMonitor=false',
      'unixSocketDir=none',
      'unixSocketMode=0660',
      'maxSessionBytes=64M',
      'debugFlags=[PRINT, EXIT]',
      'passwordFile=/etc/a=b',
    ];
    let options = {};
    for (const text of texts) options = daemonOption(text, options);
    expect(options).toEqual({
      maxSessions: 100,
      timeScale: 0.5,
      volatile: true,
      dangerousMonitor: false,
      unixSocketDir: null,
      unixSocketMode: '0660',
      maxSessionBytes: '64M',
      debugFlags: ['PRINT', 'EXIT'],
      passwordFile: '/etc/a=b',
    });
  });

  it('keep the text of options that are text in a file', () => {
    expect(daemonOption('unixSocketMode=660')).toEqual({ unixSocketMode: '660' });
    expect(daemonOption('daemonUser=1000')).toEqual({ daemonUser: '1000' });
    expect(daemonOption('linkProtocol=true')).toEqual({ linkProtocol: 'true' });
    expect(daemonOption('runtimeDir=7')).toEqual({ runtimeDir: '7' });
  });

  it('need a name and a value', () => {
    for (const text of ['maxSessions', '=3', '']) expect(() => daemonOption(text)).toThrow('It must be name=value');
  });
});
