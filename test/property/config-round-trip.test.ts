import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveConfiguration } from '../../daemon/options-resolve.ts';
import {
  AUTH_METHODS,
  DEBUG_FLAGS,
  EVENT_PRIORITIES,
  LOG_LEVELS,
  type OptionKey,
  type OptionValues,
  SLOW_CONSUMER_POLICIES,
  SOCKET_PORT_REUSES,
  SPREAD_TIMEOUT_KEYS,
  type SpreadTimeouts,
  THREADING_MODES,
} from '../../engine/config/configuration-options.ts';
import { keywordOf } from '../../engine/config/option-catalogue.ts';
import { completeOptions } from '../../engine/config/option-rules.ts';
import { parseConfig } from '../../engine/config/parse-config.ts';

// ---- what a configuration says, drawn at random -----------------------------------------------------------------

interface InterfaceModel {
  readonly uses: readonly ('C' | 'D' | 'M')[];
  readonly address: string;
}
interface HostModel {
  readonly name: string;
  readonly address: string;
  readonly interfaces: readonly InterfaceModel[] | null;
}
interface SegmentModel {
  readonly address: string;
  readonly port: number | null;
  readonly hosts: readonly HostModel[];
}

const octet = fc.nat({ max: 255 });
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
const notLoopback = ipv4.filter((address) => !address.startsWith('127.'));

const NAME_CHARACTERS = [...'!$%&()*+,-./0123456789:;<=>?@ABCDMN[]^_`abcdefghijklmnopqrstuvwxyz|~{}\'"'];
const hostName = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(...NAME_CHARACTERS), minLength: 1, maxLength: 19 }),
    fc.constantFrom('C', 'D', 'M', 'on', 'INFO', 'Window', 'Spread_Segment', 'RouteMatrix', '127.0.0.1', '42', '='),
  )
  .filter((name) => !(name.includes('"') && name.includes("'"))); // strings have no escapes

const iface: fc.Arbitrary<InterfaceModel> = fc.record({
  uses: fc.uniqueArray(fc.constantFrom('C', 'D', 'M')),
  address: ipv4,
});

const segments: fc.Arbitrary<readonly SegmentModel[]> = fc
  .uniqueArray(hostName, { minLength: 1, maxLength: 12 })
  .chain((names) =>
    fc.tuple(
      fc.tuple(
        ...names.map((name) =>
          fc.record({
            name: fc.constant(name),
            address: ipv4,
            interfaces: fc.option(fc.array(iface, { minLength: 1, maxLength: 10 })),
          }),
        ),
      ),
      fc.array(
        fc.record({
          address: notLoopback,
          port: fc.option(fc.integer({ min: 1, max: 65_534 })),
          share: fc.nat({ max: 4 }),
        }),
        { minLength: 1, maxLength: 6 },
      ),
    ),
  )
  .map(([hosts, frames]) => {
    let next = 0;
    return frames.map(({ address, port, share }, i) => {
      const count = i === frames.length - 1 ? hosts.length - next : Math.min(share, hosts.length - next);
      next += count;
      return { address, port, hosts: hosts.slice(next - count, next) };
    });
  });

/** Text for paths and such: anything a quoted string can hold. */
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((value) => !/["\n\0]/.test(value));

const timeouts: fc.Arbitrary<SpreadTimeouts> = fc
  .tuple(...SPREAD_TIMEOUT_KEYS.map(() => fc.integer({ min: 1, max: 2_000_000_000 })))
  .map(
    (values) => Object.fromEntries(SPREAD_TIMEOUT_KEYS.map((key, i) => [key, values[i]])) as unknown as SpreadTimeouts,
  );

const otherOptions = fc.record(
  {
    debugFlags: fc.array(fc.constantFrom(...[...DEBUG_FLAGS, 'ALL', 'NONE'].flatMap((flag) => [flag, `!${flag}`]))),
    eventPriority: fc.constantFrom(...EVENT_PRIORITIES),
    eventLogFile: text,
    eventTimeStamp: text,
    eventPreciseTimeStamp: fc.constant(true),
    dangerousMonitor: fc.boolean(),
    socketPortReuse: fc.constantFrom(...SOCKET_PORT_REUSES),
    runtimeDir: text,
    daemonUser: text,
    allowedAuthMethods: fc.array(fc.constantFrom(...AUTH_METHODS), { maxLength: 5 }),
    requiredAuthMethods: fc.array(fc.constantFrom(...AUTH_METHODS), { maxLength: 5 }),
    maxSessionMessages: fc.nat({ max: 1_000_000_000 }),
    window: fc.integer({ min: 100, max: 32_767 }),
    personalWindow: fc.integer({ min: 50, max: 100 }),
    acceleratedRing: fc.boolean(),
    acceleratedWindow: fc.nat({ max: 20 }),
    threadingMode: fc.constantFrom(...THREADING_MODES),
    deliveryWorkers: fc.oneof(fc.constant('auto' as const), fc.integer({ min: 1, max: 64 })),
    maxSessions: fc.integer({ min: 1, max: 1_000_000 }),
    maxSessionBytes: fc.integer({ min: 1024, max: 2 ** 40 }),
    maxQueuedBytes: fc.integer({ min: 2 ** 20, max: 2 ** 40 }),
    maxSessionGroups: fc.integer({ min: 1, max: 10_000_000 }),
    slowConsumerPolicy: fc.constantFrom(...SLOW_CONSUMER_POLICIES),
    unixSocketMode: fc.nat({ max: 0o777 }),
    logLevel: fc.constantFrom(...LOG_LEVELS),
    datagramSize: fc.integer({ min: 576, max: 65_000 }),
    volatile: fc.boolean(),
    timeScale: fc.integer({ min: 1, max: 10_000 }).map((hundredths) => hundredths / 100),
  },
  { requiredKeys: [] },
);

const options: fc.Arbitrary<OptionValues> = fc
  .tuple(otherOptions, fc.option(timeouts))
  .map(([others, nine]) => ({ ...others, ...(nine ?? {}) }));

// ---- the same as text, with every freedom the grammar leaves ------------------------------------------------------

/** Draws lawful blanks and comments, forever. */
type Blanks = (atLeastOne: boolean) => string;

function blanksFrom(choices: readonly string[]): Blanks {
  let next = 0;
  return (atLeastOne) => {
    const blank = choices[next++ % choices.length]!;
    return blank === '' && atLeastOne ? ' ' : blank;
  };
}

const blank = fc
  .array(
    fc.oneof(
      fc.constantFrom(' ', '\t', '\n', '\r\n'),
      fc.constantFrom('#\n', '# } Window = 5 "\n', '#Spread_Segment {\n', "#'\n"),
    ),
    { maxLength: 3 },
  )
  .map((parts) => parts.join(''));
const blanks = fc.array(blank, { minLength: 8, maxLength: 40 });

const BARE = /^[^\s#{}"'][^\s#{}]*$/;
const NO_BARE_NAME =
  /^(-?\d+|[\d.:]+|;|[0-9A-Fa-f]*:[0-9A-Fa-f]*:.*|\[[0-9A-Fa-f]*:[0-9A-Fa-f]*:.*|=.*|Spread_Segment|RouteMatrix|[A-Za-z_]\w*=.*)$/;

/** A name or text: quoted when it must be, and sometimes when it need not. */
function word(value: string, quoteAnyway: boolean): string {
  const mayBeBare = BARE.test(value) && !NO_BARE_NAME.test(value);
  if (mayBeBare && !quoteAnyway) return value;
  return value.includes('"') ? `'${value}'` : `"${value}"`;
}

function printSegment(segment: SegmentModel, gap: Blanks): string {
  const hosts = segment.hosts.map(({ name, address, interfaces }, i) => {
    const block = interfaces?.map((entry) => [...entry.uses, entry.address].join(gap(true)) + gap(true)).join('');
    const interfaceBlock = block === undefined ? '' : `${gap(false)}{${gap(false)}${block}}`;
    return `${word(name, i % 2 === 0)}${gap(true)}${address}${interfaceBlock}${gap(true)}`;
  });
  const port = segment.port === null ? '' : `:${segment.port}`;
  return `Spread_Segment${gap(true)}${segment.address}${port}${gap(false)}{${gap(false)}${hosts.join('')}}${gap(false)}`;
}

function printOption(key: string, value: unknown, gap: Blanks): string {
  const keyword = keywordOf(key as OptionKey);
  const set = (written: string): string => `${gap(true)}${keyword}${gap(false)}=${gap(false)}${written}${gap(true)}`;
  if (key === 'eventPreciseTimeStamp') return `${gap(true)}${keyword}${gap(true)}`;
  if (key === 'debugFlags') return set(`{${(value as string[]).map((flag) => gap(true) + flag).join('')}${gap(true)}}`);
  if (Array.isArray(value)) return set(`"${value.join(' ')}"`);
  if (key === 'unixSocketMode') return set((value as number).toString(8));
  return set(typeof value === 'string' ? word(value, false) : String(value));
}

// ---- the property -----------------------------------------------------------------------------------------------

describe('a configuration', () => {
  it('printed with any lawful blanks, comments and quotes reads back as itself', () => {
    fc.assert(
      fc.property(segments, options, blanks, (segmentModels, values, choices) => {
        const gap = blanksFrom(choices);
        const printedOptions = Object.entries(values).map(([key, value]) => printOption(key, value, gap));
        const half = printedOptions.length >> 1;
        const conf = [
          ...printedOptions.slice(0, half),
          ...segmentModels.map((segment) => printSegment(segment, gap)),
          ...printedOptions.slice(half),
        ].join('');

        const file = parseConfig(conf, 'generated.conf');
        const { configuration } = resolveConfiguration({}, { file, addressOf: () => null });

        expect(configuration.options).toEqual(completeOptions(values));
        let node = 0;
        expect(configuration.segments).toEqual(
          segmentModels.map((segment, number) => ({
            address: segment.address,
            port: segment.port ?? 4803,
            hosts: segment.hosts.map((host) => ({
              node: node++,
              name: host.name,
              address: host.address,
              segment: number,
              interfaces: expectedInterfaces(host),
            })),
          })),
        );
      }),
      { numRuns: 300 },
    );
  });
});

function expectedInterfaces({ address, interfaces }: HostModel): unknown {
  if (interfaces === null) {
    return [{ address, uses: { clients: true, daemons: true, monitor: true }, implicit: true }];
  }
  return interfaces.map((entry) => {
    const all = entry.uses.length === 0;
    return {
      address: entry.address,
      uses: {
        clients: all || entry.uses.includes('C'),
        daemons: all || entry.uses.includes('D'),
        monitor: all || entry.uses.includes('M'),
      },
      implicit: false,
    };
  });
}
