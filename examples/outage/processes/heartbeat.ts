import { request, type Server } from 'node:http';

const everyMs = 2;

/** The upstream's side: sends back what comes. */
export function answerHeartbeats(server: Server): void {
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => socket.destroy());
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: heartbeat\r\n\r\n');
    socket.pipe(socket);
  });
}

/**
 * The client's side. Each beat is a byte that went through both processes' event loops and back, so beats stop when either
 * of them stalls, whatever the reason.
 */
export function heartbeats(port: number, onBeat: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, headers: { connection: 'upgrade', upgrade: 'heartbeat' } });
    call.once('error', reject);
    call.once('upgrade', (_response, socket) => {
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      const send = () => socket.write('.');
      socket.on('data', () => {
        onBeat();
        setTimeout(send, everyMs);
      });
      send();
      resolve();
    });
    call.end();
  });
}
