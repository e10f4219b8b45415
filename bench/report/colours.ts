/** One colour and dash per system, the same in every plot (Okabe and Ito's palette; dashes for print and colour-blind readers). */
interface Look {
  readonly colour: string;
  readonly dash: string;
}

const LOOKS: Record<string, Look> = {
  skein: { colour: '#0072b2', dash: '' },
  'skein-dedicated': { colour: '#56b4e9', dash: '6 3' },
  'skein-shared-network': { colour: '#4a90a4', dash: '2 3' },
  'skein-shared': { colour: '#3d5a99', dash: '8 3 2 3' },
  'skein-inline': { colour: '#7fb2d9', dash: '1 3' },
  'skein-original': { colour: '#5f7fbf', dash: '4 4' },
  'skein-sealed': { colour: '#2f4f8f', dash: '10 3' },
  'skein-tls': { colour: '#274b73', dash: '4 2' },
  'skein-datagram-8k': { colour: '#6fa8dc', dash: '5 2 1 2' },
  'skein-datagram-16k': { colour: '#1f5f99', dash: '3 2' },
  'skein-datagram-1400': { colour: '#9fc5e8', dash: '2 2' },
  spread: { colour: '#d55e00', dash: '' },
  'spread-original': { colour: '#d98c5f', dash: '4 4' },
  nats: { colour: '#009e73', dash: '' },
  redis: { colour: '#b0413e', dash: '6 3' },
  mosquitto: { colour: '#cc79a7', dash: '2 3' },
  'mosquitto-qos1': { colour: '#b58fb0', dash: '1 3' },
  zeromq: { colour: '#b8860b', dash: '8 3 2 3' },
  corosync: { colour: '#7a5195', dash: '5 2' },
  relay: { colour: '#8a8a8a', dash: '1 4' },
};

const OTHER: Look = { colour: '#666666', dash: '3 3' };

export const lookOf = (systemId: string): Look => LOOKS[systemId] ?? OTHER;
