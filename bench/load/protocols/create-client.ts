import type { ClientRole, ProtocolChoice, ProtocolClient } from '../protocol.ts';
import { CpgClient } from './cpg.ts';
import { MqttClient } from './mqtt.ts';
import { NatsClient } from './nats.ts';
import { RedisClient } from './redis.ts';
import { SpreadClient } from './spread.ts';
import { ZmtpClient } from './zmtp.ts';

export function createClient(choice: ProtocolChoice, role: ClientRole): ProtocolClient {
  switch (choice.kind) {
    case 'spread':
      return new SpreadClient(role, choice.options);
    case 'nats':
      return new NatsClient(role);
    case 'redis':
      return new RedisClient(role);
    case 'mqtt':
      return new MqttClient(role, choice.options);
    case 'zmtp':
      return new ZmtpClient(role);
    case 'cpg':
      return new CpgClient(role);
  }
}
