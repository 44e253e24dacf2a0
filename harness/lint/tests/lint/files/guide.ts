private getProductionConfig(): WebRTCConfig {
  return {
    iceServers: [
      // TURN servers first for better cross-network connectivity
      {
        urls: 'turn:openrelay.metered.ca:443',
        username: 'openrelayproject',
        credential: 'openrelayproject'
      },
      {
        urls: 'turn:openrelay.metered.ca:443?transport=tcp',
        username: 'openrelayproject',
        credential: 'openrelayproject'
      },
      // ... more TURN servers
      // STUN servers as fallback
      { urls: 'stun:stun.l.google.com:19302' },
      // ... more STUN servers
    ]
  };
}
