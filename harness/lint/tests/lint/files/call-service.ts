import { fetchAccount } from './account';

const TURN_HOST = 'turn.example.net';

/** For every call. */
const STUN: RTCIceServer[] = [{ urls: 'stun:stun.example.net' }];

export class CallService {
  private readonly username = import.meta.env.VITE_TURN_USERNAME as string;

  getDevelopmentConfig(): RTCConfiguration {
    return { iceServers: STUN };
  }

  private getProductionConfig(): RTCConfiguration {
    return {
      iceServers: [
        ...STUN,
        {
          urls: [`turn:${TURN_HOST}:443`, `turn:${TURN_HOST}:443?transport=tcp`],
          username: this.username,
          credential: process.env.TURN_CREDENTIAL!,
        },
      ],
      iceTransportPolicy: 'all',
    };
  }

  async getRelayConfig(): Promise<RTCConfiguration> {
    const { username, credential } = await fetchAccount();
    return {
      iceServers: [{ urls: `turns:${process.env.TURN_HOST}:443?transport=tcp`, username, credential }],
      iceTransportPolicy: 'relay',
    };
  }
}
